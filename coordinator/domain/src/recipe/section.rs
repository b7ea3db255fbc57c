//! Reading one table of a recipe key by key: types are checked here, and whatever is left over is an unknown key.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::RecipeError;
use crate::nearest::nearest;

/// The file being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub file: &'a str,
    pub text: &'a str,
}

/// The line that byte `at` stands in, from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

impl Source<'_> {
    pub(super) fn error(&self, at: usize, what: impl Into<String>, remedy: impl Into<String>) -> RecipeError {
        RecipeError {
            file: self.file.to_owned(),
            line: line_of(self.text, at),
            what: what.into(),
            remedy: remedy.into(),
        }
    }
}

type Value<'a> = Spanned<DeValue<'a>>;

/// A table; remembers which keys were asked for.
pub(super) struct Section<'a> {
    source: Source<'a>,
    /// Such as `build`; empty for the whole file.
    name: String,
    table: &'a DeTable<'a>,
    at: usize,
    known: RefCell<Vec<&'static str>>,
}

/// A value with the place it stands at, for rules that judge it further.
pub(super) struct Placed<T> {
    pub value: T,
    pub at: usize,
}

impl<'a> Section<'a> {
    pub(super) fn new(source: Source<'a>, name: &str, table: &'a DeTable<'a>, at: usize) -> Self {
        Self {
            source,
            name: name.to_owned(),
            table,
            at,
            known: RefCell::new(Vec::new()),
        }
    }

    pub(super) const fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// Where the table begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The full name of a key, such as `build.steps`.
    fn full(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.name)
        }
    }

    fn get(&self, key: &'static str) -> Option<&'a Value<'a>> {
        self.known.borrow_mut().push(key);
        self.table.get(key)
    }

    fn wrong(&self, key: &str, value: &Value<'_>, expected: &str) -> RecipeError {
        let what = format!(
            "`{}` is {}, not {expected}",
            self.full(key),
            with_article(value.get_ref().type_str())
        );
        self.source
            .error(value.span().start, what, format!("write {expected}"))
    }

    /// The table under `key`.
    pub(super) fn section(&self, key: &'static str) -> Result<Option<Self>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let table = value.get_ref().as_table();
        let table = table.ok_or_else(|| self.wrong(key, value, &format!("a table: [{}]", self.full(key))))?;
        Ok(Some(Self::new(
            self.source,
            &self.full(key),
            table,
            value.span().start,
        )))
    }

    pub(super) fn text(&self, key: &'static str) -> Result<Option<Placed<&'a str>>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let text = value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.wrong(key, value, "a string in quotes"))?;
        Ok(Some(Placed {
            value: text,
            at: value.span().start,
        }))
    }

    pub(super) fn switch(&self, key: &'static str) -> Result<Option<bool>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        value
            .get_ref()
            .as_bool()
            .map(Some)
            .ok_or_else(|| self.wrong(key, value, "true or false"))
    }

    pub(super) fn count(&self, key: &'static str, most: u32) -> Result<Option<u32>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let expected = format!("a whole number from 1 to {most}");
        let integer = value
            .get_ref()
            .as_integer()
            .ok_or_else(|| self.wrong(key, value, &expected))?;
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| (1..=most).contains(number));
        let refused = || {
            let what = format!("`{}` is {}", self.full(key), integer.as_str());
            self.source
                .error(value.span().start, what, format!("write {expected}"))
        };
        number.map(Some).ok_or_else(refused)
    }

    /// A list of strings.
    pub(super) fn texts(&self, key: &'static str) -> Result<Vec<Placed<&'a str>>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        self.list(key, value, r#"a list of strings such as ["a", "b"]"#)
    }

    /// One command: a list of strings.
    pub(super) fn argv(&self, key: &'static str) -> Result<Option<Placed<Vec<String>>>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        self.one_argv(key, value).map(Some)
    }

    /// Commands: a list of lists of strings.
    pub(super) fn argvs(&self, key: &'static str) -> Result<Vec<Placed<Vec<String>>>, RecipeError> {
        let Some(value) = self.get(key) else {
            return Ok(Vec::new());
        };
        let expected = r#"a list of commands such as [["bin/warm-cache", "--all"]]"#;
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.wrong(key, value, expected))?;
        list.iter()
            .map(|item| {
                if item.get_ref().is_str() {
                    let what = format!("`{}` holds a string where a command is expected", self.full(key));
                    let remedy =
                        "each command is a list of its own, no shell: [[\"bin/warm-cache\", \"--all\"]]";
                    return Err(self.source.error(item.span().start, what, remedy));
                }
                self.one_argv(key, item)
            })
            .collect()
    }

    fn one_argv(&self, key: &str, value: &'a Value<'a>) -> Result<Placed<Vec<String>>, RecipeError> {
        let words = self.list(
            key,
            value,
            r#"a command as a list of words such as ["bin/check", "--fast"]"#,
        )?;
        let argv: Vec<_> = words.into_iter().map(|word| word.value.to_owned()).collect();
        let at = value.span().start;
        match argv.first() {
            Some(program) if !program.is_empty() && !argv.iter().any(|word| word.contains('\0')) => {
                Ok(Placed { value: argv, at })
            }
            Some(_) | None => {
                let what = format!("`{}` holds a command without a program", self.full(key));
                Err(self.source.error(at, what, "write the program as the first word"))
            }
        }
    }

    fn list(
        &self,
        key: &str,
        value: &'a Value<'a>,
        expected: &str,
    ) -> Result<Vec<Placed<&'a str>>, RecipeError> {
        let list = value
            .get_ref()
            .as_array()
            .ok_or_else(|| self.wrong(key, value, expected))?;
        list.iter()
            .map(|item| {
                let text = item
                    .get_ref()
                    .as_str()
                    .ok_or_else(|| self.wrong(key, item, "a string in quotes"))?;
                Ok(Placed {
                    value: text,
                    at: item.span().start,
                })
            })
            .collect()
    }

    /// Names an unknown key before a missing one is complained about: the typo is the cause.
    pub(super) fn finish_known(&self, known: &[&'static str]) -> Result<(), RecipeError> {
        self.known.borrow_mut().extend(known);
        self.finish()
    }

    /// Refuses every key that nobody asked for.
    pub(super) fn finish(&self) -> Result<(), RecipeError> {
        let known = self.known.borrow();
        let unknown = self
            .table
            .iter()
            .map(|(key, _)| key)
            .filter(|key| !known.contains(&key.get_ref().as_ref()));
        let Some(key) = unknown.min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        let place = if self.name.is_empty() {
            String::new()
        } else {
            format!(" in [{}]", self.name)
        };
        let what = format!("unknown key `{}`{place}", key.get_ref());
        let mut listed = known.clone();
        listed.sort_unstable();
        listed.dedup();
        let remedy = nearest(key.get_ref(), known.iter().copied()).map_or_else(
            || format!("known here: {}", listed.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        Err(self.source.error(key.span().start, what, remedy))
    }
}

fn with_article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {kind}")
}
