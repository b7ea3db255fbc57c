//! The bar that leads from one part of the settings to another, and what each part is for.

use askama::Template;
use pointsman_domain::Action;

use super::super::super::problem::Answer;
use super::super::shown::{Place, Shown};
use super::super::viewer::Viewer;

/// A part of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    Projects,
    Accounts,
    Tokens,
    Environments,
    Variables,
    Channels,
    Deliveries,
    Webhooks,
    Causes,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Overview,
        Self::Projects,
        Self::Accounts,
        Self::Tokens,
        Self::Environments,
        Self::Variables,
        Self::Channels,
        Self::Deliveries,
        Self::Webhooks,
        Self::Causes,
    ];

    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Overview => ("Settings", "/settings", "Every part, and what it is for."),
            Self::Projects => (
                "Projects and targets",
                "/settings/projects",
                "What is built from where, where it goes and how; deploy keys and tickets.",
            ),
            Self::Accounts => (
                "Accounts",
                "/settings/accounts",
                "People who sign in here, and what each may do.",
            ),
            Self::Tokens => (
                "Tokens",
                "/settings/tokens",
                "Keys of machines and of the command line.",
            ),
            Self::Environments => (
                "Environments",
                "/settings/environments",
                "Stages, in the order in which releases are promoted.",
            ),
            Self::Variables => (
                "Variables",
                "/settings/variables",
                "Values that build steps and hosts are given.",
            ),
            Self::Channels => (
                "Channels and rules",
                "/settings/channels",
                "Who is told what, and where.",
            ),
            Self::Deliveries => (
                "Deliveries",
                "/settings/deliveries",
                "What was told, and how it was answered.",
            ),
            Self::Webhooks => (
                "Webhooks",
                "/settings/webhooks",
                "What forges call when somebody pushes.",
            ),
            Self::Causes => (
                "Known causes",
                "/settings/causes",
                "What lines of failed logs mean, and what to do.",
            ),
        }
    }

    /// Whether roles in single projects show some of it.
    const fn is_by_project(self) -> bool {
        matches!(
            self,
            Self::Overview | Self::Projects | Self::Variables | Self::Webhooks
        )
    }

    /// What it takes to see it.
    const fn least(self) -> Action {
        match self {
            Self::Accounts | Self::Tokens => Action::ManageTokens,
            Self::Overview
            | Self::Projects
            | Self::Environments
            | Self::Variables
            | Self::Channels
            | Self::Deliveries
            | Self::Webhooks
            | Self::Causes => Action::Read,
        }
    }
}

struct Tab {
    word: &'static str,
    link: &'static str,
    what: &'static str,
    here: bool,
}

#[derive(Template)]
#[template(path = "settings/tabs.html")]
struct Bar<'a> {
    title: &'a str,
    tabs: Vec<Tab>,
}

#[derive(Template)]
#[template(path = "settings/overview.html")]
struct Overview {
    tabs: Vec<Tab>,
}

fn tabs(viewer: &Viewer, here: Part) -> Vec<Tab> {
    let may = |part: &Part| {
        viewer.may(part.least()) || (part.is_by_project() && viewer.may_somewhere(Action::Read))
    };
    let tab = |part: Part| {
        let (word, link, what) = part.words();
        Tab {
            word,
            link,
            what,
            here: part == here,
        }
    };
    Part::ALL.into_iter().filter(may).map(tab).collect()
}

/// Every page of the settings that this person may look at: its name and its address.
pub(in super::super) fn pages(viewer: &Viewer) -> Vec<(&'static str, &'static str)> {
    let tabs = tabs(viewer, Part::Overview).into_iter();
    tabs.map(|tab| (tab.word, tab.link)).collect()
}

/// A page of the settings, with its bar.
pub(super) fn page(viewer: &Viewer, here: Part, data: &impl serde::Serialize) -> Answer<Shown> {
    let (title, _, _) = here.words();
    named(viewer, here, title, data)
}

/// The same, about one thing of that part.
pub(super) fn named(viewer: &Viewer, here: Part, title: &str, data: &impl serde::Serialize) -> Answer<Shown> {
    let bar = Bar {
        title,
        tabs: tabs(viewer, here),
    };
    Shown::new(title, Place::Settings, data)?.with("tabs", &bar)
}

/// `GET /settings`
pub(super) async fn overview(viewer: Viewer) -> Answer<Shown> {
    let mut tabs = tabs(&viewer, Part::Overview);
    tabs.retain(|tab| !tab.here);
    let parts: Vec<_> = tabs.iter().map(|tab| tab.link).collect();
    page(&viewer, Part::Overview, &parts)?.with("parts", &Overview { tabs })
}
