//! Single keys of a terminal, for what is looked at live. The terminal is as it was once this is dropped.

use std::io::{IsTerminal as _, Read as _};

use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex};
use tokio::sync::mpsc;

/// Keys that leave: q, Q, and Ctrl-D.
const LEAVING: [u8; 3] = [b'q', b'Q', 4];

/// A terminal that gives every key at once and shows none.
pub struct Keys {
    before: termios::Termios,
    pressed: mpsc::UnboundedReceiver<u8>,
}

impl Keys {
    /// The terminal on stdin; none where stdin is something else.
    pub fn of_terminal() -> Option<Self> {
        let terminal = std::io::stdin();
        if !terminal.is_terminal() {
            return None;
        }
        let before = termios::tcgetattr(&terminal).ok()?;
        let mut single = before.clone();
        // Ctrl-C goes on being a signal.
        single.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        single.special_codes[SpecialCodeIndex::VMIN] = 1;
        single.special_codes[SpecialCodeIndex::VTIME] = 0;
        termios::tcsetattr(&terminal, OptionalActions::Now, &single).ok()?;
        let (sender, pressed) = mpsc::unbounded_channel();
        // A thread of its own, which the end of the process does not wait for: a key may never come.
        std::thread::spawn(move || {
            let mut byte = [0];
            while let Ok(1) = std::io::stdin().read(&mut byte) {
                if sender.send(byte[0]).is_err() {
                    return;
                }
            }
        });
        Some(Self { before, pressed })
    }

    /// Waits for a key that leaves. A terminal that went away leaves, too.
    pub async fn leaves(&mut self) {
        while let Some(key) = self.pressed.recv().await {
            if LEAVING.contains(&key) {
                return;
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that went away needs no restoring.
        termios::tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before).ok();
    }
}
