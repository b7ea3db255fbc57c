//! The last few of something, to tell an answer that comes twice from one that nobody asked for.

use std::collections::VecDeque;

/// Holds the last `N` values.
#[derive(Debug)]
pub(super) struct Recent<T, const N: usize>(VecDeque<T>);

impl<T: PartialEq, const N: usize> Recent<T, N> {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(super) fn remember(&mut self, value: T) {
        if self.0.len() == N {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    pub(super) fn knows(&self, value: &T) -> bool {
        self.0.contains(value)
    }
}
