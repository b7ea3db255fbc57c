//! What a target asks of a release; written as text: `previous_live`, `mark:tested`.

use serde::{Deserialize, Serialize};

use crate::name::MarkName;

/// What a release must have before it may go live in a target; a rollback passes every gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Gate {
    /// It was live and healthy in the project's target of the environment before, the same bytes.
    PreviousLive,
    /// Somebody marked it so: `mark:tested`.
    Mark(MarkName),
}

impl From<Gate> for String {
    fn from(gate: Gate) -> Self {
        gate.to_string()
    }
}

impl std::fmt::Display for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::PreviousLive => f.write_str("previous_live"),
            Self::Mark(mark) => write!(f, "mark:{mark}"),
        }
    }
}

impl TryFrom<String> for Gate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.strip_prefix("mark:") {
            Some(mark) => mark.parse().map(Self::Mark).map_err(|error| format!("{error}")),
            None if text == "previous_live" => Ok(Self::PreviousLive),
            None => Err(format!("{text:?} is no gate; write previous_live or mark:NAME")),
        }
    }
}
