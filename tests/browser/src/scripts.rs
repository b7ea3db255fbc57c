//! A tab in other circumstances: with scripts of a test's own before the page's, on paper, and with a pointer that rests
//! somewhere.

use anyhow::{Context as _, Result};
use chromiumoxide::cdp::browser_protocol::emulation::SetEmulatedMediaParams;
use chromiumoxide::cdp::browser_protocol::page::AddScriptToEvaluateOnNewDocumentParams;
use chromiumoxide::layout::Point;
use serde_json::Value;

use crate::page::Tab;

impl Tab {
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
