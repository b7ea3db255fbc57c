//! The crate against real repositories, made and judged by the real `git` program: the first one in the standard
//! folders and the distribution's `/usr/bin/git`.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod kit;

mod checkout;
mod damage;
mod guard;
mod history;
mod sharing;
mod ssh;
mod submodules;
