//! The values a job's commands may see, and `${NAME}` in argv and addresses.
//!
//! Only names that the job was given expand; anything else is an error that names it, because an empty text in an
//! argument or address does the wrong thing silently. `$${NAME}` stands for the text `${NAME}`. Nothing is expanded
//! twice: a value that looks like a variable stays text.

use std::collections::BTreeMap;

/// The program search path of every child.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A text that cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// No such variable.
    #[error("`${{{name}}}` in {text:?} is not set for this job; set it with `pointsman variable set {name}`")]
    Unknown {
        /// The name.
        name: String,
        /// The text it stands in.
        text: String,
    },
    /// A `${` without its `}`.
    #[error("`${{` in {text:?} has no closing brace")]
    Open {
        /// The text.
        text: String,
    },
}

/// Everything a command's environment holds.
#[derive(Debug, Clone, Default)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// A bare environment (`PATH`, `LANG`, `HOME`), the job's variables, and ours, which beat any variable of the same
    /// name: a variable must not be able to lie about what is deployed.
    pub fn new(home: &str, variables: &BTreeMap<String, String>, ours: &[(&str, String)]) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in [("PATH", PATH), ("LANG", "C.UTF-8"), ("HOME", home)] {
            values.insert(name.to_owned(), value.to_owned());
        }
        values.extend(variables.clone());
        values.extend(
            ours.iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Self(values)
    }

    /// As an environment.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// `text` with its variables in place.
    pub fn expand(&self, text: &str) -> Result<String, ExpandError> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            let (before, from) = rest.split_at(at);
            expanded.push_str(before);
            if let Some(literal) = from.strip_prefix("$${") {
                expanded.push_str("${");
                rest = literal;
            } else if let Some(open) = from.strip_prefix("${") {
                let (name, after) = open.split_once('}').ok_or_else(|| ExpandError::Open {
                    text: text.to_owned(),
                })?;
                let value = self.0.get(name).ok_or_else(|| ExpandError::Unknown {
                    name: name.to_owned(),
                    text: text.to_owned(),
                })?;
                expanded.push_str(value);
                rest = after;
            } else {
                expanded.push('$');
                rest = from.get(1..).unwrap_or_default();
            }
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// Every word of an argv, expanded. A value never becomes more than one word.
    pub fn expand_argv(&self, argv: &[String]) -> Result<Vec<String>, ExpandError> {
        argv.iter().map(|word| self.expand(word)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let variables = [
            ("PORT", "8080"),
            ("TRICK", "${PORT} $(reboot)"),
            ("POINTSMAN_HOST", "liar"),
        ];
        let variables = variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        Values::new("/home/x", &variables, &[("POINTSMAN_HOST", "web01".to_owned())])
    }

    #[test]
    fn only_given_names_expand_and_only_once() {
        for (text, expected) in [
            (
                "http://127.0.0.1:${PORT}/healthz",
                "http://127.0.0.1:8080/healthz",
            ),
            ("${TRICK}", "${PORT} $(reboot)"),
            ("$PORT costs 5$ ${PORT}${PORT}", "$PORT costs 5$ 80808080"),
            ("$${PORT}", "${PORT}"),
            ("${POINTSMAN_HOST}", "web01"),
            ("", ""),
        ] {
            assert_eq!(values().expand(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_expanded_is_named() {
        insta::assert_snapshot!(values().expand("http://${HOTS}/").unwrap_err(), @r#"`${HOTS}` in "http://${HOTS}/" is not set for this job; set it with `pointsman variable set HOTS`"#);
        insta::assert_snapshot!(values().expand("a ${PORT").unwrap_err(), @r#"`${` in "a ${PORT" has no closing brace"#);
    }
}
