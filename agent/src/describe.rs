//! Errors in words: an error and its causes on one line, as people read it in results and faults.

/// `error: cause: deeper cause`. A cause that only repeats what its effect said is left out.
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !words.ends_with(&text) {
            words.push_str(": ");
            words.push_str(&text);
        }
        cause = inner.source();
    }
    words
}
