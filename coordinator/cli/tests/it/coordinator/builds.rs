//! How builds go: one reading finds them running, the next one over.

use pointsman_shared::api::jobs::JobState;
use pointsman_shared::api::releases::{Release, ReleaseState};
use pointsman_shared::outcome::JobKind;

use super::journey::Story;
use super::world::World;

impl World {
    /// Begins a build.
    pub fn begin_build(&mut self, release: &Release) {
        self.add_job(release.job.unwrap(), JobKind::Build, "builder1", None);
        let waits = self.build_waits.clone();
        self.jobs.last_mut().unwrap().reason = waits;
        self.tell("release.requested", None, "build requested");
    }

    /// Ends a running build.
    pub fn finish_build(&mut self, number: i64) {
        let fails = self.story == Story::Fails;
        let job = self.jobs.iter_mut().find(|job| job.number == number).unwrap();
        job.state = if fails {
            JobState::Failed
        } else {
            JobState::Succeeded
        };
        let release = self
            .releases
            .iter_mut()
            .find(|known| known.job == Some(number))
            .unwrap();
        release.state = if fails {
            ReleaseState::Failed
        } else {
            ReleaseState::Built
        };
        release.failure = fails.then(|| "npm ci exited with 1".to_owned());
    }
}
