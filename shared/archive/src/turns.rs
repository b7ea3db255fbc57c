//! One archive, written by several threads in the order of its members.
//!
//! A thread compresses into memory and waits for its turn only to write. A member that grows beyond [`SPILL`] waits
//! early and is written as it is made, so a release with one huge file needs no more memory than one with small ones.
//! Members are taken in order, so whoever has the turn is always at work and nobody waits in a circle.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use pointsman_shared::digest::Digest;
use sha2::{Digest as _, Sha256};

use crate::packing::Member;

/// Compressed bytes that a member may hold back while it waits, in bytes.
pub(crate) const SPILL: usize = 8 << 20;

/// The archive and whose turn it is.
#[derive(Debug)]
pub(crate) struct Turns {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug)]
struct State {
    turn: usize,
    abandoned: bool,
    file: File,
    hasher: Sha256,
    length: u64,
    members: Vec<Member>,
}

/// The finished archive.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) file: File,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) members: Vec<Member>,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Another member failed, so this one is of no use.
    Abandoned,
    Io(io::Error),
}

impl Turns {
    pub(crate) fn new(file: File) -> Self {
        let state = State {
            turn: 0,
            abandoned: false,
            file,
            hasher: Sha256::new(),
            length: 0,
            members: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            moved: Condvar::new(),
        }
    }

    /// Waits for the turn of member `index`, writes what is in `bytes` and empties it.
    pub(crate) fn write(&self, index: usize, bytes: &mut Vec<u8>) -> Result<(), Refusal> {
        self.append(index, bytes).map(drop)
    }

    /// Writes the rest of member `index`, which began after the last one, and gives the turn to the next.
    pub(crate) fn finish(&self, index: usize, bytes: &mut Vec<u8>, files: usize) -> Result<(), Refusal> {
        let mut state = self.append(index, bytes)?;
        let offset = state
            .members
            .last()
            .map_or(0, |member| member.offset + member.length);
        let length = state.length - offset;
        state.members.push(Member {
            offset,
            length,
            files,
        });
        state.turn += 1;
        drop(state);
        self.moved.notify_all();
        Ok(())
    }

    /// Wakes everybody up after a failure.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.moved.notify_all();
    }

    pub(crate) fn into_written(self) -> Written {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let digest = Digest::from_bytes(state.hasher.finalize().into());
        Written {
            file: state.file,
            digest,
            size: state.length,
            members: state.members,
        }
    }

    fn append(&self, index: usize, bytes: &mut Vec<u8>) -> Result<MutexGuard<'_, State>, Refusal> {
        let mut state = self
            .moved
            .wait_while(self.lock(), |state| state.turn != index && !state.abandoned)
            .unwrap_or_else(PoisonError::into_inner);
        if state.abandoned {
            return Err(Refusal::Abandoned);
        }
        state.file.write_all(bytes).map_err(Refusal::Io)?;
        state.hasher.update(bytes.as_slice());
        state.length += bytes.len() as u64;
        bytes.clear();
        Ok(state)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
