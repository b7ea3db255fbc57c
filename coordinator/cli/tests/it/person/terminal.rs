//! A run at a terminal: a real pseudo-terminal, read by a terminal emulator, so that a snapshot is what a person sees.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::redacted;

const ROWS: u16 = 50;
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that runs at a terminal.
pub struct Sitting {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<vt100::Parser>>,
    reader: Option<JoinHandle<()>>,
}

/// What stands on the screen in the end, and the exit code.
pub struct Screen {
    pub text: String,
    pub exit: i32,
}

impl Sitting {
    pub fn new(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = Winsize {
            ws_row: ROWS,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(path).unwrap();
        let child = command
            .stdin(terminal.try_clone().unwrap())
            .stdout(terminal.try_clone().unwrap())
            .stderr(terminal)
            .spawn()
            .unwrap();
        // The command held the last copies of the terminal's end, which must go for the reader to see the end.
        drop(command);
        let keyboard = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, columns, 0)));
        let reader = thread::spawn({
            let mut output = keyboard.try_clone().unwrap();
            let screen = Arc::clone(&screen);
            move || {
                let mut bytes = [0; 4_096];
                // Linux answers EIO when the last process has closed the terminal.
                while let Ok(count @ 1..) = output.read(&mut bytes) {
                    screen.lock().unwrap().process(&bytes[..count]);
                }
            }
        });
        Self {
            child,
            keyboard,
            screen,
            reader: Some(reader),
        }
    }

    /// What stands on the screen now.
    pub fn screen(&self) -> String {
        let parser = self.screen.lock().unwrap();
        let columns = parser.screen().size().1;
        // Row by row: the drawing fills its rows, and a full row is not half of a longer line.
        let rows: Vec<String> = parser.screen().rows(0, columns).collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        redacted(rows.join("\n").trim_end())
    }

    /// Waits until this stands on the screen.
    pub fn sees(&self, text: &str) -> &Self {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(
                Instant::now() < deadline,
                "never saw {text:?}:\n{}",
                self.screen()
            );
            thread::sleep(Duration::from_millis(10));
        }
        self
    }

    /// Types something.
    pub fn answers(&mut self, text: &str) -> &Self {
        self.keyboard.write_all(text.as_bytes()).unwrap();
        self
    }

    /// Presses Ctrl-C.
    pub fn interrupts(&self) -> &Self {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self
    }

    /// Waits for the end.
    pub fn ends(mut self) -> Screen {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("still running:\n{}", self.screen());
            }
            thread::sleep(Duration::from_millis(5));
        };
        self.reader.take().unwrap().join().unwrap();
        Screen {
            text: self.screen(),
            exit: status.code().unwrap_or(-1),
        }
    }
}

impl std::fmt::Display for Screen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n--- exit {}", self.text, self.exit)
    }
}
