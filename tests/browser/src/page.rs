//! A tab: loads, presses, waits for words, measures, and lets axe look.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chromiumoxide::Page;
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams,
};
use chromiumoxide::cdp::browser_protocol::input::{DispatchKeyEventParams, DispatchKeyEventType};
use chromiumoxide::cdp::browser_protocol::page::CreateIsolatedWorldParams;
use chromiumoxide::cdp::js_protocol::runtime::{EvaluateParams, ExecutionContextId};
use serde_json::Value;

/// The longest that a page may take to show something.
const PATIENCE: Duration = Duration::from_mins(1);
/// Every rule of these standards; none is disabled.
const STANDARDS: &str = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']";

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How a page is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Light or dark.
    pub theme: Theme,
    /// Width in CSS pixels.
    pub width: u32,
}

/// What a page weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Its elements.
    pub elements: u64,
    /// Requests of a cold load, the stream among them.
    pub requests: u64,
    /// Bytes of a cold load, compressed, with some for each head.
    pub bytes: u64,
}

/// How a page came to be seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Painting {
    /// Milliseconds from the request until something stood there.
    pub first_ms: f64,
    /// What moved afterwards by itself: cumulative layout shift, a share of the window.
    pub shift: f64,
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    pub(crate) page: Page,
    base: String,
}

impl Tab {
    pub(crate) fn new(page: Page, base: &str) -> Self {
        Self {
            page,
            base: base.trim_end_matches('/').to_owned(),
        }
    }

    /// Loads a page of the dashboard.
    pub async fn load(&self, path: &str) -> Result<()> {
        self.page.goto(format!("{}{path}", self.base)).await?;
        self.page.wait_for_navigation().await?;
        Ok(())
    }

    /// Puts the tab in front: a page that is hidden lets go of its stream.
    pub async fn to_front(&self) -> Result<()> {
        self.page.bring_to_front().await?;
        Ok(())
    }

    /// Where the tab is.
    pub async fn path(&self) -> Result<String> {
        let url = self.page.url().await?.unwrap_or_default();
        Ok(url.strip_prefix(&self.base).unwrap_or(&url).to_owned())
    }

    /// Writes into a field.
    pub async fn fill(&self, selector: &str, text: &str) -> Result<()> {
        let field = self.page.find_element(selector).await?;
        field.click().await?;
        field.type_str(text).await?;
        Ok(())
    }

    /// Presses the button or link with these words, and waits for the page that follows.
    pub async fn press(&self, words: &str) -> Result<()> {
        let find = format!(
            "[...document.querySelectorAll('button, a, summary')].find(e => e.textContent.trim().startsWith({}))",
            Value::from(words)
        );
        self.until(&format!("{words:?} can be pressed"), &format!("Boolean({find})"))
            .await?;
        self.run(&format!("{find}.click()")).await?;
        Ok(())
    }

    /// Types a key at whatever holds the focus.
    pub async fn key(&self, key: &str) -> Result<()> {
        self.page.find_element("body").await?.press_key(key).await?;
        Ok(())
    }

    /// Types text at whatever holds the focus.
    pub async fn types(&self, text: &str) -> Result<()> {
        self.page.find_element("body").await?.type_str(text).await?;
        Ok(())
    }

    /// Types a letter while Ctrl is held.
    pub async fn chord(&self, letter: &str) -> Result<()> {
        const CTRL: i64 = 2;
        for kind in [DispatchKeyEventType::RawKeyDown, DispatchKeyEventType::KeyUp] {
            let event = DispatchKeyEventParams::builder()
                .r#type(kind)
                .modifiers(CTRL)
                .key(letter)
                .code(format!("Key{}", letter.to_uppercase()))
                .build()
                .map_err(|why| anyhow::anyhow!(why))?;
            self.page.execute(event).await?;
        }
        Ok(())
    }

    /// Shows pages in colours of the reader's own from now on.
    pub async fn forced_colours(&self) -> Result<()> {
        let media = SetEmulatedMediaParams::builder()
            .feature(MediaFeature::new("forced-colors", "active"))
            .feature(MediaFeature::new("prefers-reduced-motion", "reduce"))
            .build();
        self.page.execute(media).await?;
        Ok(())
    }

    /// Waits until the page shows these words.
    pub async fn shows(&self, words: &str) -> Result<()> {
        let seen = format!("document.body.innerText.includes({})", Value::from(words));
        self.until(&format!("the page shows {words:?}"), &seen).await
    }

    /// Waits until an expression is true; says what the page shows when it never is.
    pub async fn until(&self, what: &str, expression: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            // While a page is exchanged for another nothing can be asked.
            if let Ok(Value::Bool(true)) = self.run(expression).await {
                return Ok(());
            }
            let text = self.text().await.unwrap_or_default();
            ensure!(
                begun.elapsed() < PATIENCE,
                "waited {PATIENCE:?} until {what}; it shows:\n{text}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the content says, without what is only said of time.
    pub async fn text(&self) -> Result<String> {
        let text = self
            .run(
                "(() => { const main = document.getElementById('main').cloneNode(true);
                 for (const time of main.querySelectorAll('time')) time.remove();
                 return main.textContent.replace(/\\s+/g, ' '); })()",
            )
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// What the page weighs.
    pub async fn weight(&self) -> Result<Weight> {
        let measured = self
            .run(
                "(() => { const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
                 return { elements: document.querySelectorAll('*').length, requests: all.length + 1,
                          bytes: all.reduce((sum, one) => sum + (one.encodedBodySize || 0) + 300, 0) }; })()",
            )
            .await?;
        let of = |name: &str| measured[name].as_u64().unwrap_or(u64::MAX);
        Ok(Weight {
            elements: of("elements"),
            requests: of("requests"),
            bytes: of("bytes"),
        })
    }

    /// How the page that was loaded last came to be seen, once it is live and drawn.
    pub async fn painting(&self) -> Result<Painting> {
        self.until(
            "the page is live and painted",
            "(!('live' in document.body.dataset) || document.getElementById('live')?.textContent === 'live')
             && performance.getEntriesByName('first-contentful-paint').length > 0",
        )
        .await?;
        let painting = self
            .run(
                "new Promise(done => { let shift = 0;
                 new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) shift += one.value; })
                   .observe({ type: 'layout-shift', buffered: true });
                 // What was observed before is told in a task of its own, after which two frames have been drawn.
                 setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(() => done({ shift,
                   first: performance.getEntriesByName('first-contentful-paint')[0].startTime }))), 0); })",
            )
            .await?;
        let of = |name: &str| {
            painting[name]
                .as_f64()
                .with_context(|| format!("{name}: {painting}"))
        };
        Ok(Painting {
            first_ms: of("first")?,
            shift: of("shift")?,
        })
    }

    /// Evaluates an expression, and waits for it where it is a promise.
    pub async fn run(&self, expression: &str) -> Result<Value> {
        let done = self.page.evaluate_expression(expression).await?;
        Ok(done.into_value().unwrap_or(Value::Null))
    }

    /// Looks at pages in another way from now on.
    pub async fn look(&self, look: Look) -> Result<()> {
        let metrics = SetDeviceMetricsOverrideParams::builder()
            .width(look.width)
            .height(900)
            .device_scale_factor(1.0)
            .mobile(false)
            .build()
            .map_err(|why| anyhow::anyhow!(why))?;
        self.page.execute(metrics).await?;
        let scheme = match look.theme {
            Theme::Light => "light",
            Theme::Dark => "dark",
        };
        let media = SetEmulatedMediaParams::builder()
            .feature(MediaFeature::new("prefers-color-scheme", scheme))
            .feature(MediaFeature::new("prefers-reduced-motion", "reduce"))
            .build();
        self.page.execute(media).await?;
        Ok(())
    }

    /// What axe finds wrong with the page as it stands. It runs beside the page's own scripts, where the page's policy,
    /// which rightly refuses it, does not reach.
    pub async fn violations(&self, axe: &str) -> Result<Vec<String>> {
        let frame = self.page.mainframe().await?.context("the page has a frame")?;
        let world = CreateIsolatedWorldParams::builder()
            .frame_id(frame)
            .world_name("axe")
            .build()
            .map_err(|why| anyhow::anyhow!(why))?;
        let context = self.page.execute(world).await?.execution_context_id;
        self.beside(axe, context).await?;
        let run = format!(
            "axe.run(document, {{ runOnly: {STANDARDS} }}).then(found => found.violations.map(one =>
                one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 200)).join(' | ')))"
        );
        let found = self.beside(&run, context).await?;
        Ok(serde_json::from_value(found)?)
    }

    async fn beside(&self, expression: &str, context: ExecutionContextId) -> Result<Value> {
        let evaluate = EvaluateParams::builder()
            .expression(expression)
            .context_id(context)
            .await_promise(true)
            .return_by_value(true)
            .build()
            .map_err(|why| anyhow::anyhow!(why))?;
        let done = self.page.execute(evaluate).await?;
        ensure!(done.exception_details.is_none(), "{:?}", done.exception_details);
        Ok(done.result.result.value.clone().unwrap_or(Value::Null))
    }
}
