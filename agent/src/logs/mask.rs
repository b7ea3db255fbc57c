//! Masks secrets in a stream of lines, also where a value is broken over lines or flushes.
//!
//! A line whose end may be the beginning of a secret is held back until more is printed or the caller insists; then the
//! beginning is masked. Lines keep their order, whichever output they came from.

use std::collections::VecDeque;
use std::sync::Arc;

use pointsman_shared::wire::UnixMillis;
use pointsman_shared::wire::logs::LogSource;

use super::forms::{SHORTEST_SECRET, Secrets, show};

/// A line that may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedLine {
    /// When it was read.
    pub at: UnixMillis,
    /// Where it came from.
    pub source: LogSource,
    /// Its text, masked.
    pub text: String,
}

/// How the mark of a cut line begins.
const CUT: &str = " [... ";

/// What one output printed before its pending lines, as far as a secret may have begun there.
#[derive(Debug, Default)]
struct Context(Vec<u8>);

/// Lines in, masked lines out.
#[derive(Debug)]
pub struct Masker {
    secrets: Arc<Secrets>,
    pending: VecDeque<MaskedLine>,
    contexts: [Context; 3],
}

const SOURCES: [LogSource; 3] = [LogSource::Out, LogSource::Err, LogSource::Agent];

impl Masker {
    /// A masker for these secrets.
    pub fn new(secrets: Arc<Secrets>) -> Self {
        Self {
            secrets,
            pending: VecDeque::new(),
            contexts: Default::default(),
        }
    }

    /// Takes the next line.
    pub fn push(&mut self, at: UnixMillis, source: LogSource, text: String) {
        let text = self.without_cut_secret(text);
        self.pending.push_back(MaskedLine { at, source, text });
    }

    /// A line that was too long ends where it was cut; what follows will never come to complete a secret there.
    fn without_cut_secret(&self, text: String) -> String {
        let Some((kept, rest)) = text.rsplit_once(CUT) else {
            return text;
        };
        let dangling = self.secrets.dangling(kept.as_bytes());
        if dangling < SHORTEST_SECRET || !rest.ends_with(" more bytes]") {
            return text;
        }
        let kept = kept.get(..kept.len() - dangling).unwrap_or_default();
        format!("{kept}***{CUT}{rest}")
    }

    /// Whether lines wait.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Bytes that wait.
    pub fn pending_bytes(&self) -> usize {
        self.pending.iter().map(|line| line.text.len()).sum()
    }

    /// The lines that may leave; with `all`, every one, and what may be the beginning of a secret is masked.
    pub fn release(&mut self, all: bool) -> Vec<MaskedLine> {
        if self.secrets.is_empty() {
            return self.pending.drain(..).collect();
        }
        let searches: Vec<Search> = SOURCES.iter().map(|source| self.search(*source, all)).collect();
        let held = searches.iter().filter_map(|search| search.first_held).min();
        let leaving = held.unwrap_or(self.pending.len());
        let mut masked = Vec::with_capacity(leaving);
        let mut offsets: [usize; 3] = std::array::from_fn(|i| self.contexts.get(i).map_or(0, |c| c.0.len()));
        let mut searches = searches;
        for line in self.pending.drain(..leaving) {
            let i = place(line.source);
            if let (Some(search), Some(offset)) = (searches.get_mut(i), offsets.get_mut(i)) {
                let text = show(&line.text, *offset, &mut search.found);
                *offset += line.text.len();
                masked.push(MaskedLine { text, ..line });
            }
        }
        for ((context, search), offset) in self.contexts.iter_mut().zip(&searches).zip(offsets) {
            let left = search.text.get(..offset).unwrap_or_default();
            let dangling = self.secrets.dangling(left);
            context.0 = left.get(left.len() - dangling..).unwrap_or_default().to_vec();
        }
        masked
    }

    fn search(&self, source: LogSource, all: bool) -> Search {
        let mut text = self
            .contexts
            .get(place(source))
            .map(|context| context.0.clone())
            .unwrap_or_default();
        let mut ends = Vec::new();
        for (index, line) in self
            .pending
            .iter()
            .enumerate()
            .filter(|(_, line)| line.source == source)
        {
            text.extend_from_slice(line.text.as_bytes());
            ends.push((index, text.len()));
        }
        let mut found = self.secrets.find(&text);
        let dangling = self.secrets.dangling(&text);
        let mut first_held = None;
        if dangling >= SHORTEST_SECRET {
            let from = text.len() - dangling;
            if all {
                found.push((from, text.len()));
            } else {
                first_held = ends.iter().find(|(_, end)| *end > from).map(|(index, _)| *index);
            }
        }
        Search {
            text,
            found,
            first_held,
        }
    }
}

/// One output's pending text, searched.
struct Search {
    text: Vec<u8>,
    found: Vec<(usize, usize)>,
    first_held: Option<usize>,
}

const fn place(source: LogSource) -> usize {
    match source {
        LogSource::Out => 0,
        LogSource::Err => 1,
        LogSource::Agent => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use proptest::prelude::*;

    const SECRET: &str = "correct-horse-battery-staple";

    fn masker() -> Masker {
        Masker::new(Arc::new(Secrets::new([SECRET])))
    }

    fn texts(lines: Vec<MaskedLine>) -> Vec<String> {
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn a_value_broken_over_lines_and_flushes_is_masked() {
        let mut masker = masker();
        masker.push(1, LogSource::Out, "key: correct-horse".to_owned());
        assert_eq!(masker.release(false), [], "its end may be a beginning");
        masker.push(2, LogSource::Err, "meanwhile".to_owned());
        masker.push(3, LogSource::Out, "-battery-staple ok".to_owned());
        assert_eq!(texts(masker.release(false)), ["key: ***", "meanwhile", "*** ok"]);
    }

    #[test]
    fn what_looks_like_a_beginning_is_masked_when_it_must_leave() {
        let mut masker = masker();
        masker.push(1, LogSource::Out, "key: correct-horse".to_owned());
        assert_eq!(texts(masker.release(true)), ["key: ***"]);
        masker.push(2, LogSource::Out, "-battery-staple".to_owned());
        assert_eq!(texts(masker.release(true)), ["***"]);
    }

    #[test]
    fn a_secret_at_the_cut_of_a_long_line_is_masked() {
        let mut masker = masker();
        masker.push(
            0,
            LogSource::Out,
            "long correct-horse [... 90 more bytes]".to_owned(),
        );
        masker.push(0, LogSource::Out, "plain [... 90 more bytes]".to_owned());
        assert_eq!(
            texts(masker.release(true)),
            ["long *** [... 90 more bytes]", "plain [... 90 more bytes]"]
        );
    }

    #[test]
    fn wrapped_base64_is_masked() {
        let secret: String = "0123456789".repeat(20);
        let mut masker = Masker::new(Arc::new(Secrets::new([secret.as_str()])));
        let encoded = base64::engine::general_purpose::STANDARD.encode(&secret);
        for line in encoded.as_bytes().chunks(76) {
            masker.push(0, LogSource::Out, String::from_utf8(line.to_vec()).unwrap());
        }
        for line in texts(masker.release(true)) {
            assert!(line.len() < 8, "{line}");
        }
    }

    proptest! {
        /// However a secret is cut into lines and flushes, no six characters of it in a row ever leave, unless the
        /// pieces themselves are shorter than what is looked for.
        #[test]
        fn no_cut_lets_a_secret_out(cuts in proptest::collection::vec((1..SECRET.len(), any::<bool>()), 0..4)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut masker = masker();
            let mut out = String::new();
            let mut from = 0;
            for (cut, all) in cuts {
                masker.push(0, LogSource::Out, SECRET[from..cut].to_owned());
                out.extend(texts(masker.release(all)));
                from = cut;
            }
            masker.push(0, LogSource::Out, SECRET[from..].to_owned());
            out.extend(texts(masker.release(true)));
            for piece in SECRET.as_bytes().windows(SHORTEST_SECRET) {
                let piece = std::str::from_utf8(piece).unwrap();
                prop_assert!(!out.contains(piece), "{out:?} shows {piece:?}");
            }
        }
    }
}
