//! The section `[traces]` of both services' configuration.

use serde::Deserialize;
use url::Url;

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TracesSection {
    /// A collector's address for OTLP over HTTP with protobuf, such as `http://127.0.0.1:4318/v1/traces`; none = traces
    /// are in the log only.
    pub otlp_url: Option<Url>,
    /// Which part of the requests that begin a trace of their own is sent, from 0 to 1; whoever brings a trace along
    /// decides for it.
    pub sample: f64,
}

impl Default for TracesSection {
    fn default() -> Self {
        Self {
            otlp_url: None,
            sample: 1.0,
        }
    }
}

impl TracesSection {
    /// The key that cannot be used, and why.
    pub fn objection(&self) -> Option<(&'static str, String)> {
        if !(0.0..=1.0).contains(&self.sample) {
            let rule = format!("{} is not between 0 and 1", self.sample);
            return Some(("traces.sample", rule));
        }
        if self.otlp_url.is_some() && !cfg!(feature = "otlp") {
            let rule = "this program was built without the feature otlp; build it with `--features otlp`, or remove the \
                        key and read traces in the log";
            return Some(("traces.otlp_url", rule.to_owned()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_between_none_and_all() {
        assert_eq!(TracesSection::default().objection(), None);
        for sample in [-0.1, 1.1, f64::NAN] {
            let section = TracesSection {
                sample,
                ..TracesSection::default()
            };
            let key = section.objection().map(|(key, _)| key);
            assert_eq!(key, Some("traces.sample"));
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[test]
    fn an_address_that_nobody_could_send_to_is_refused() {
        let section = TracesSection {
            otlp_url: "http://127.0.0.1:4318/v1/traces".parse().ok(),
            ..TracesSection::default()
        };
        let (key, rule) = section.objection().unwrap();
        assert!(
            key == "traces.otlp_url" && rule.contains("--features otlp"),
            "{rule}"
        );
    }
}
