//! The W3C trace context that goes from a request into its jobs, with each offer and cancel to the agent, and back with
//! everything the job reports, so that one wish can be followed through both sides. It travels unsigned beside a
//! message, so it is only ever copied, and only if it looks exactly as it should.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::JobId;

/// Name of the AMQP and HTTP header that carries it.
pub const TRACE_HEADER: &str = "traceparent";

/// A `traceparent` of version 00: which trace, and which span of it what follows belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent(String);

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent of version 00")]
pub struct NoTrace;

impl TraceParent {
    /// Of a request that came without one: a trace that bears the request's id.
    pub fn of_request(id: Uuid) -> Self {
        Self::named(id, "01")
    }

    /// Of a job that no request wished, such as one that brings a new host on: a trace that bears the job's id, for the
    /// logs. It is marked as not sampled, because there is no span that others could hang on to.
    pub fn of_job(job: JobId) -> Self {
        Self::named(job.0, "00")
    }

    fn named(id: Uuid, flags: &str) -> Self {
        let (_, span) = id.as_u64_pair();
        Self(format!("00-{}-{span:016x}-{flags}", id.simple()))
    }

    /// The trace: 32 hex digits, the same in every log.
    pub fn trace_id(&self) -> &str {
        self.part(1)
    }

    /// The span: 16 hex digits.
    pub fn span_id(&self) -> &str {
        self.part(2)
    }

    /// Whether whoever began it wants its spans kept.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(self.part(3), 16).is_ok_and(|flags| flags & 1 == 1)
    }

    /// Reads a header; what does not look right is as good as none.
    pub fn read(header: &[u8]) -> Option<Self> {
        std::str::from_utf8(header).ok()?.parse().ok()
    }

    /// As the header holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn part(&self, index: usize) -> &str {
        // Every text in here has four parts.
        self.0.split('-').nth(index).unwrap_or_default()
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
        // An id of zeros names nothing.
        let is_id = |part: &str, length| is_hex(part, length) && part.bytes().any(|b| b != b'0');
        match parts.as_slice() {
            ["00", trace, span, flags] if is_id(trace, 32) && is_id(span, 16) && is_hex(flags, 2) => {
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

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_of_its_own_bears_the_id_of_what_began_it() {
        let id = Uuid::from_u128(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c);
        let text = "00-0af7651916cd43dd8448eb211c80319c-8448eb211c80319c-01";
        let request = TraceParent::of_request(id);
        assert_eq!((request.as_str(), text.parse()), (text, Ok(request.clone())));
        let job = TraceParent::of_job(JobId(id));
        assert_eq!(
            (job.trace_id(), job.span_id()),
            (request.trace_id(), request.span_id())
        );
        assert_eq!((request.is_sampled(), job.is_sampled()), (true, false));
    }

    #[test]
    fn only_what_looks_right_is_copied() {
        assert_eq!(GOOD.parse::<TraceParent>().map(String::from), Ok(GOOD.to_owned()));
        for bad in [
            "",
            "00-x-y-z",
            &GOOD.replace("00-", "01-"),
            &GOOD.to_uppercase(),
            &format!("{GOOD}-x"),
            &GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &GOOD.replace("b7ad6b7169203331", &"0".repeat(16)),
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NoTrace), "{bad}");
        }
    }
}
