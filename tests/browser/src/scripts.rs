//! A tab in other circumstances: without scripts, with scripts of a test's own before the page's, on paper, and with a
//! pointer that rests somewhere.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chromiumoxide::cdp::browser_protocol::emulation::{
    SetEmulatedMediaParams, SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::page::AddScriptToEvaluateOnNewDocumentParams;
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use chromiumoxide::layout::Point;
use serde_json::Value;

use crate::page::Tab;

impl Tab {
    /// Runs no script of pages from the next page on.
    pub async fn without_scripts(&self) -> Result<()> {
        self.page
            .execute(SetScriptExecutionDisabledParams::new(true))
            .await?;
        self.plain.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Evaluates an expression of the test's own on a page that runs none.
    pub(crate) async fn asks_plainly(&self, expression: &str) -> Result<Value> {
        let ask = EvaluateParams::builder()
            .expression(expression)
            .return_by_value(true);
        let ask = ask.build().map_err(|why| anyhow::anyhow!(why))?;
        let asked = self.page.execute(ask);
        // While a page is exchanged for another nobody answers.
        let done = tokio::time::timeout(Duration::from_secs(5), asked).await??;
        ensure!(done.exception_details.is_none(), "{:?}", done.exception_details);
        Ok(done.result.result.value.clone().unwrap_or(Value::Null))
    }

    /// Runs this before the scripts of each page from the next one on.
    pub async fn before_scripts(&self, script: &str) -> Result<()> {
        self.page
            .evaluate_on_new_document(AddScriptToEvaluateOnNewDocumentParams::new(script))
            .await?;
        Ok(())
    }

    /// Shows the page as it would be printed.
    pub async fn on_paper(&self) -> Result<()> {
        let media = SetEmulatedMediaParams::builder().media("print").build();
        self.page.execute(media).await?;
        Ok(())
    }

    /// Rests the pointer on the middle of an element, which is scrolled into view.
    pub async fn points_at(&self, selector: &str) -> Result<()> {
        let middle = self
            .run(&format!(
                "(() => {{ const one = document.querySelector({});
                 one.scrollIntoView({{ block: 'center' }});
                 const box = one.getBoundingClientRect();
                 return [box.left + Math.min(box.width / 2, 40), box.top + box.height / 2]; }})()",
                Value::from(selector)
            ))
            .await?;
        let at = |place: usize| {
            middle[place]
                .as_f64()
                .with_context(|| format!("{selector}: {middle}"))
        };
        let (x, y) = (at(0)?, at(1)?);
        self.page.move_mouse(Point { x: x - 1.0, y }).await?;
        self.page.move_mouse(Point { x, y }).await?;
        Ok(())
    }
}
