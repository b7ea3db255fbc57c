//! A field: one value, shown exactly to scripts and readably to people.

use chrono::{DateTime, Utc};

use crate::printer::Tone;
use crate::text;

/// One field of a table or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to say.
    Nothing,
    /// Text.
    Text(String),
    /// Text with a meaning.
    Toned(Tone, String),
    /// A number.
    Number(i64),
    /// A size in bytes.
    Bytes(u64),
    /// A moment; shown as its age.
    At(DateTime<Utc>),
    /// A length of time in milliseconds.
    Took(u64),
}

impl Cell {
    /// Text, or nothing.
    pub fn maybe(text: Option<impl ToString>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(text.to_string()))
    }

    /// A moment, or nothing.
    pub fn when(at: Option<DateTime<Utc>>) -> Self {
        at.map_or(Self::Nothing, Self::At)
    }

    /// Several words in one field.
    pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> Self {
        let words: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
        if words.is_empty() {
            Self::Nothing
        } else {
            Self::Text(words.join(", "))
        }
    }

    /// For people: ages, units.
    pub fn for_people(&self, now: DateTime<Utc>) -> String {
        match self {
            Self::Nothing => "-".to_owned(),
            Self::Text(words) | Self::Toned(_, words) => text::plain(words),
            Self::Number(number) => number.to_string(),
            Self::Bytes(count) => text::bytes(*count),
            Self::At(at) => text::age(*at, now),
            Self::Took(milliseconds) => text::duration(std::time::Duration::from_millis(*milliseconds)),
        }
    }

    /// For scripts: exact, and empty where there is nothing.
    pub fn for_scripts(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Text(words) | Self::Toned(_, words) => text::plain(words),
            Self::Number(number) => number.to_string(),
            Self::Bytes(count) | Self::Took(count) => count.to_string(),
            Self::At(at) => text::moment(*at),
        }
    }

    /// For people, in its tone.
    pub fn painted(&self, now: DateTime<Utc>) -> String {
        self.tone().paint(&self.for_people(now))
    }

    /// How it feels.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Toned(tone, _) => *tone,
            Self::Nothing => Tone::Faint,
            Self::Text(_) | Self::Number(_) | Self::Bytes(_) | Self::At(_) | Self::Took(_) => Tone::Plain,
        }
    }

    /// Whether it stands at the right of its column.
    pub fn stands_right(&self) -> bool {
        match self {
            Self::Number(_) | Self::Bytes(_) | Self::Took(_) | Self::At(_) => true,
            Self::Nothing | Self::Text(_) | Self::Toned(..) => false,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
