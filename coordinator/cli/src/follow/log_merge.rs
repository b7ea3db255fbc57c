//! Several jobs' logs as one, ordered by time.
//!
//! Each attempt of each job is a source with a page in hand. A line is given out only when every source has shown its
//! next one or has none for now, so nothing has to be held but a page per source.

use std::collections::VecDeque;

use pointsman_shared::api::jobs::{Job, NumberedLine};

use super::LogLine;
use crate::client::{Client, LogQuery};
use crate::error::CliError;
use crate::exit::Exit;

/// Lines per request.
const PAGE: u32 = 1_000;

/// The merged logs; remembers how far each was read.
#[derive(Debug, Default)]
pub struct LogMerge {
    sources: Vec<Source>,
}

#[derive(Debug)]
struct Source {
    job: i64,
    host: Option<String>,
    epoch: u32,
    after: u64,
    total: Option<u64>,
    complete: bool,
    /// Nothing more for now.
    dry: bool,
    lines: VecDeque<NumberedLine>,
}

impl LogMerge {
    /// Adds the attempts of these jobs that are not known yet.
    pub fn track<'a>(&mut self, jobs: impl IntoIterator<Item = &'a Job>) {
        for job in jobs {
            for epoch in 1..=job.epoch {
                let known = self
                    .sources
                    .iter_mut()
                    .find(|known| known.job == job.number && known.epoch == epoch);
                let host = job.host.as_ref().map(ToString::to_string);
                match known {
                    Some(source) => source.host = host.or(source.host.take()),
                    None => self.sources.push(Source::new(job.number, host, epoch)),
                }
            }
        }
    }

    /// Gives out every line that is there now.
    pub async fn drain(
        &mut self,
        client: &Client,
        mut each: impl FnMut(LogLine) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        for source in &mut self.sources {
            source.dry = false;
        }
        loop {
            for source in &mut self.sources {
                if source.lines.is_empty() && !source.dry {
                    source.fetch(client).await?;
                }
            }
            let earliest = self
                .sources
                .iter_mut()
                .filter(|source| !source.lines.is_empty())
                .min_by_key(|source| source.lines.front().map(|line| line.at));
            let Some(source) = earliest else { return Ok(()) };
            if let Some(line) = source.lines.pop_front() {
                each(LogLine::new(source.job, source.host.clone(), source.epoch, line))?;
            }
        }
    }

    /// Whether every line of every attempt was given out.
    pub fn is_complete(&self) -> bool {
        self.sources
            .iter()
            .all(|source| source.complete && source.lines.is_empty())
    }

    /// `job #8121: 410 of 412 lines`, for those known to be incomplete.
    pub fn missing(&self) -> Vec<String> {
        self.sources
            .iter()
            .filter_map(|source| {
                let total = source.total.filter(|total| *total > source.after)?;
                Some(format!("job #{}: {} of {total} lines", source.job, source.after))
            })
            .collect()
    }
}

impl Source {
    fn new(job: i64, host: Option<String>, epoch: u32) -> Self {
        Self {
            job,
            host,
            epoch,
            after: 0,
            total: None,
            complete: false,
            dry: false,
            lines: VecDeque::new(),
        }
    }

    async fn fetch(&mut self, client: &Client) -> Result<(), CliError> {
        if self.complete {
            self.dry = true;
            return Ok(());
        }
        let wanted = LogQuery {
            job: self.job,
            epoch: self.epoch,
            after: self.after,
            limit: PAGE,
        };
        let page = match client.log(wanted).await {
            Ok(page) => page,
            // An attempt that has not written anything may have no log yet.
            Err(error) if error.exit() == Exit::NotFound => {
                self.dry = true;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.total = page.total.or(self.total);
        self.complete = page.complete;
        self.dry = page.lines.is_empty();
        if let Some(last) = page.lines.last() {
            self.after = last.line + last.gap.saturating_sub(1);
        }
        self.lines = page.lines.into();
        Ok(())
    }
}
