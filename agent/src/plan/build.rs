//! A build: checkout, cache, steps, pack, upload.

use std::fmt;

use pointsman_shared::wire::job::BuildOrder;

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildStep {
    /// The pinned commit as files.
    Checkout,
    /// Brings kept folders back.
    RestoreCache,
    /// One shell string of the recipe.
    Run {
        /// The string.
        script: String,
    },
    /// The tree becomes a manifest and an archive.
    Pack,
    /// Keeps folders for the next build. After packing: they may be part of the release.
    SaveCache,
    /// The three objects go to the store.
    Upload,
}

impl fmt::Display for BuildStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checkout => "checkout",
            Self::RestoreCache => "restore cache",
            Self::Run { script } => script,
            Self::Pack => "pack",
            Self::SaveCache => "save cache",
            Self::Upload => "upload",
        })
    }
}

pub(super) fn steps(order: &BuildOrder) -> Vec<BuildStep> {
    let mut steps = vec![BuildStep::Checkout];
    let Some(recipe) = &order.recipe else {
        steps.extend([BuildStep::Pack, BuildStep::Upload]);
        return steps;
    };
    // Nothing fills or uses a cache when nothing runs.
    let cached = !recipe.cache.is_empty() && !recipe.steps.is_empty();
    steps.extend(cached.then_some(BuildStep::RestoreCache));
    steps.extend(recipe.steps.iter().map(|script| BuildStep::Run {
        script: script.clone(),
    }));
    steps.push(BuildStep::Pack);
    steps.extend(cached.then_some(BuildStep::SaveCache));
    steps.push(BuildStep::Upload);
    steps
}
