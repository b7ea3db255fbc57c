//! The W3C trace context that goes with an offer and comes back with everything its job reports, so that one wish can be
//! followed through both sides. It travels unsigned beside a message, so it is only ever copied, and only if it looks
//! exactly as it should.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Epoch, JobId};

/// Name of the AMQP header that carries it.
pub const TRACE_HEADER: &str = "traceparent";

/// A `traceparent` of version 00.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent(String);

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of version 00")]
pub struct NoTrace;

impl TraceParent {
    /// Of an epoch: all attempts of a job are one trace, named by the job's own id, and each is a span of it.
    pub fn of(job: JobId, epoch: Epoch) -> Self {
        let [.., a, b, c, d] = *job.0.as_bytes();
        let half = u32::from_be_bytes([a, b, c, d]);
        Self(format!("00-{}-{half:08x}{:08x}-01", job.0.simple(), epoch.0))
    }

    /// Reads a header; what does not look right is as good as none.
    pub fn read(header: &[u8]) -> Option<Self> {
        std::str::from_utf8(header).ok()?.parse().ok()
    }

    /// As the header holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TraceParent {
    type Err = NoTrace;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('-').collect();
        let is_hex = |part: &str, length: usize| {
            part.len() == length
                && part
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        match parts.as_slice() {
            ["00", trace, span, flags] if is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(NoTrace),
        }
    }
}

impl TryFrom<String> for TraceParent {
    type Error = NoTrace;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        trace.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attempts_of_a_job_are_spans_of_one_trace() {
        let job = JobId(uuid::Uuid::from_u128(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c));
        let second = TraceParent::of(job, Epoch(2));
        let text = "00-0af7651916cd43dd8448eb211c80319c-1c80319c00000002-01";
        assert_eq!((second.as_str(), text.parse()), (text, Ok(second.clone())));
    }

    #[test]
    fn only_what_looks_right_is_copied() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(good.parse::<TraceParent>().map(String::from), Ok(good.to_owned()));
        for bad in [
            "",
            "00-x-y-z",
            &good.replace("00-", "01-"),
            &good.to_uppercase(),
            &format!("{good}-x"),
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NoTrace), "{bad}");
        }
    }
}
