//! The sandbox's side of the keeper: processes as values that can be signalled and waited for.
//!
//! It runs on plain threads and never on a runtime, so that one keeper can serve tests that each have their own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::order::{Exit, Order, Report, Sign, Spec};
use crate::error::{Error, Result, log_tail};
use crate::place::Place;
use crate::programs::Binaries;
use crate::user::RunAs;

/// The keeper of one sandbox. When this value is dropped, everything in the sandbox ends; [`Keeper::end`] waits for it.
#[derive(Debug)]
pub struct Keeper {
    orders: Mutex<Option<ChildStdin>>,
    known: Arc<Mutex<Known>>,
    process: Mutex<std::process::Child>,
    place: Place,
}

#[derive(Debug, Default)]
struct Known {
    last_id: u64,
    spawning: BTreeMap<u64, oneshot::Sender<Result<i32, String>>>,
    running: BTreeMap<u64, watch::Sender<Option<Exit>>>,
    /// Set when the keeper's reports end.
    gone: bool,
}

/// A process of the sandbox.
#[derive(Debug, Clone)]
pub struct Process {
    keeper: Arc<Keeper>,
    id: u64,
    pid: i32,
    spec: Arc<Spec>,
    exit: watch::Receiver<Option<Exit>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Keeper {
    /// Starts the keeper of `place`. A temporary place whose keeper cannot start is removed here, by nobody else.
    pub fn start(place: &Place, binaries: &Binaries) -> Result<Arc<Self>> {
        let started = binaries
            .program("pointsman-sandbox")
            .and_then(|program| Self::try_start(place, &program));
        if started.is_err() && place.is_ephemeral() {
            fs_err::remove_dir_all(place.dir())?;
        }
        started
    }

    fn try_start(place: &Place, program: &Path) -> Result<Arc<Self>> {
        let mut command = Command::new(program);
        command.arg("keeper").arg("--dir").arg(place.dir());
        if place.is_ephemeral() {
            command.arg("--remove");
        }
        if let RunAs::Other(account) = place.run_as() {
            command.uid(account.uid).gid(account.gid);
        }
        let log = std::fs::File::create(place.log("keeper")).map_err(Error::io("making the keeper's log"))?;
        let mut process = command
            .current_dir(place.dir())
            .env_clear()
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(Error::io(format!("starting the keeper {}", program.display())))?;
        let (Some(orders), Some(reports)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(Error::Keeper("it has no pipes".to_owned()));
        };
        let mut reports = BufReader::new(reports)
            .lines()
            .map_while(|line| line.ok().and_then(|line| parse(&line)));
        let refusal = match reports.next() {
            Some(Report::Ready) => None,
            Some(Report::Refused(why)) => Some(why),
            Some(Report::Spawned { .. } | Report::NotSpawned { .. } | Report::Exited { .. }) | None => {
                Some(format!("it ended at once: {}", log_tail(&place.log("keeper"))))
            }
        };
        if let Some(why) = refusal {
            process.wait().map_err(Error::io("waiting for the keeper"))?;
            return Err(Error::Keeper(why));
        }
        let known = Arc::new(Mutex::new(Known::default()));
        let keeper = Self {
            orders: Mutex::new(Some(orders)),
            known: Arc::clone(&known),
            process: Mutex::new(process),
            place: place.clone(),
        };
        std::thread::Builder::new()
            .name("keeper-reports".to_owned())
            .spawn(move || {
                for report in reports {
                    lock(&known).note(report);
                }
                lock(&known).end();
            })
            .map_err(Error::io("starting a thread"))?;
        Ok(Arc::new(keeper))
    }

    /// Starts a process.
    pub async fn spawn(self: &Arc<Self>, spec: Spec) -> Result<Process> {
        let (spawned, told) = oneshot::channel();
        let (exit_sender, exit) = watch::channel(None);
        let id = {
            let mut known = lock(&self.known);
            if known.gone {
                return Err(Error::Keeper("it is gone".to_owned()));
            }
            known.last_id += 1;
            let id = known.last_id;
            known.spawning.insert(id, spawned);
            known.running.insert(id, exit_sender);
            id
        };
        let spec = Arc::new(spec);
        self.order(&Order::Spawn {
            id,
            spec: Spec::clone(&spec),
        })?;
        match told.await {
            Ok(Ok(pid)) => Ok(Process {
                keeper: Arc::clone(self),
                id,
                pid,
                spec,
                exit,
            }),
            Ok(Err(why)) => Err(Error::Keeper(why)),
            Err(_) => Err(Error::Keeper(format!(
                "it ended while {} was being started",
                spec.name
            ))),
        }
    }

    /// Runs a process to its end and returns its stdout, which goes through the file `spec.stdout`.
    pub async fn run(self: &Arc<Self>, spec: Spec, limit: Duration) -> Result<String> {
        let process = self.spawn(spec).await?;
        match process.exited(limit).await {
            Some(Exit::Status(0)) => {}
            Some(_) => return Err(process.ended_error()),
            None => {
                process.signal(Sign::Kill)?;
                return Err(process.not_ready(limit));
            }
        }
        match &process.spec.stdout {
            None => Ok(String::new()),
            Some(path) => Ok(fs_err::read_to_string(path)?),
        }
    }

    fn order(&self, order: &Order) -> Result<()> {
        let mut line = serde_json::to_vec(order)
            .map_err(|error| Error::Unexpected(format!("an order cannot be written: {error}")))?;
        line.push(b'\n');
        let mut orders = lock(&self.orders);
        let pipe = orders
            .as_mut()
            .ok_or_else(|| Error::Keeper("the sandbox has ended".to_owned()))?;
        pipe.write_all(&line).map_err(Error::io("telling the keeper"))
    }

    /// Ends every process of the sandbox and waits until all are gone. The second call does nothing.
    pub fn end(&self) -> Result<()> {
        drop(lock(&self.orders).take());
        let status = lock(&self.process)
            .wait()
            .map_err(Error::io("waiting for the keeper"))?;
        if !status.success() {
            let end = log_tail(&self.place.log("keeper"));
            return Err(Error::Keeper(format!("it ended with {status}: {end}")));
        }
        if self.place.is_ephemeral() && self.place.dir().exists() {
            fs_err::remove_dir_all(self.place.dir())?;
        }
        Ok(())
    }

    /// Number of the keeper's own process.
    pub fn pid(&self) -> u32 {
        lock(&self.process).id()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // A test that panics leaves nothing running either; what went wrong at the end has no listener here.
        drop(self.end());
    }
}

fn parse(line: &str) -> Option<Report> {
    serde_json::from_str(line).ok()
}

impl Known {
    fn note(&mut self, report: Report) {
        match report {
            Report::Ready | Report::Refused(_) => {}
            Report::Spawned { id, pid } => self.tell(id, Ok(pid)),
            Report::NotSpawned { id, why } => {
                self.running.remove(&id);
                self.tell(id, Err(why));
            }
            Report::Exited { id, exit } => {
                if let Some(running) = self.running.remove(&id) {
                    running.send_replace(Some(exit));
                }
            }
        }
    }

    fn tell(&mut self, id: u64, answer: Result<i32, String>) {
        if let Some(waiting) = self.spawning.remove(&id) {
            // Nobody waits any more: the caller gave up, the process is ended with the sandbox.
            drop(waiting.send(answer));
        }
    }

    fn end(&mut self) {
        self.gone = true;
        self.spawning.clear();
        for running in std::mem::take(&mut self.running).into_values() {
            running.send_replace(Some(Exit::Unknown));
        }
    }
}

impl Process {
    /// Number of the process.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Sends a signal; nothing happens when it has ended already.
    pub fn signal(&self, sign: Sign) -> Result<()> {
        self.keeper.order(&Order::Signal { id: self.id, sign })
    }

    /// How it ended, if it has.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits for its end, at most `limit`.
    pub async fn exited(&self, limit: Duration) -> Option<Exit> {
        let mut exit = self.exit.clone();
        let ended = tokio::time::timeout(limit, exit.wait_for(Option::is_some)).await;
        match ended {
            Ok(Ok(exit)) => *exit,
            Ok(Err(_)) => Some(Exit::Unknown),
            Err(_) => None,
        }
    }

    /// Signals and waits; a process that does not end within `limit` is an error.
    pub async fn end_by(&self, sign: Sign, limit: Duration) -> Result<Exit> {
        self.signal(sign)?;
        self.exited(limit).await.ok_or_else(|| Error::InVain {
            until: format!("{} ends after {sign:?}", self.spec.name),
            waited: limit,
            seen: "still running".to_owned(),
        })
    }

    /// The error that says it ended although it should not have.
    pub fn ended_error(&self) -> Error {
        Error::Ended {
            name: self.spec.name.clone(),
            exit: self.exit().unwrap_or(Exit::Unknown).to_string(),
            log: self.spec.log.clone(),
            tail: log_tail(&self.spec.log),
        }
    }

    /// The error that says it did not get ready.
    pub fn not_ready(&self, waited: Duration) -> Error {
        Error::NotReady {
            name: self.spec.name.clone(),
            waited,
            log: self.spec.log.clone(),
            tail: log_tail(&self.spec.log),
        }
    }
}
