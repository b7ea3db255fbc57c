//! One method per route, so that paths and types stand side by side, and nowhere else.

use pointsman_shared::api::deployments::CancelRequest;
use pointsman_shared::api::fleet::{Finding, Host, JoinToken, NewHostPause, NewJoinToken};
use pointsman_shared::api::garbage::{
    Garbage, GarbageRequest, GarbageSchedule, PinRequest, UndoRequest, Undone,
};
use pointsman_shared::api::jobs::{DeadLetter, Job, JobState, LogPage};
use pointsman_shared::api::locks::{Lock, NewLock};
use pointsman_shared::api::migrations::{MigrationRequest, MigrationRun, Migrations};
use pointsman_shared::api::projects::{
    Applied, Document, Environment, NewEnvironment, NewProject, NewTarget, Project, Target, Tickets,
    Variable, VariableRef,
};
use pointsman_shared::api::recipes::{NewRecipe, Recipe, RecipeRevision, UseRecipe};
use pointsman_shared::api::releases::{NewMark, NewRelease, Release};
use pointsman_shared::api::tokens::{IssuedToken, NewToken, TokenInfo, WhoAmI};
use pointsman_shared::name::{HostId, MarkName, ProjectName, TargetName};
use reqwest::Method;
use serde::de::IgnoredAny;

use super::{Client, Listing};
use crate::error::CliError;

type Answer<T> = Result<T, CliError>;

/// Which lines of a job's log.
#[derive(Debug, Clone, Copy)]
pub struct LogQuery {
    /// Number of the job.
    pub job: i64,
    /// The attempt.
    pub epoch: u32,
    /// Lines with a higher number.
    pub after: u64,
    /// At most so many.
    pub limit: u32,
}

impl Client {
    pub async fn whoami(&self) -> Answer<WhoAmI> {
        self.get(&["whoami"], &[]).await
    }

    pub async fn status(&self) -> Answer<Vec<Target>> {
        Ok(self.list(&["status"], &[], usize::MAX).await?.items)
    }

    pub async fn doctor(&self) -> Answer<Vec<Finding>> {
        self.get(&["doctor"], &[]).await
    }

    pub async fn create_project(&self, project: &NewProject) -> Answer<Project> {
        self.change(Method::POST, &["projects"], Some(project)).await
    }

    pub async fn projects(&self, most: usize) -> Answer<Listing<Project>> {
        self.list(&["projects"], &[], most).await
    }

    /// Says how a project's commits name tickets; none = they name none.
    pub async fn set_tickets(&self, name: &ProjectName, wish: Option<&Tickets>) -> Answer<Project> {
        let path = ["projects", name.as_str(), "tickets"];
        let method = if wish.is_some() {
            Method::PUT
        } else {
            Method::DELETE
        };
        self.change(method, &path, wish).await
    }

    pub async fn project(&self, name: &ProjectName) -> Answer<Project> {
        self.get(&["projects", name.as_str()], &[]).await
    }

    pub async fn create_environment(&self, environment: &NewEnvironment) -> Answer<Environment> {
        self.change(Method::POST, &["environments"], Some(environment))
            .await
    }

    pub async fn environments(&self, most: usize) -> Answer<Listing<Environment>> {
        self.list(&["environments"], &[], most).await
    }

    pub async fn create_target(&self, target: &NewTarget) -> Answer<Target> {
        self.change(Method::POST, &["targets"], Some(target)).await
    }

    pub async fn targets(&self, most: usize) -> Answer<Listing<Target>> {
        self.list(&["targets"], &[], most).await
    }

    pub async fn target(&self, name: &TargetName) -> Answer<Target> {
        self.get(&["targets", &name.to_string()], &[]).await
    }

    pub async fn migrations(&self, target: &TargetName, release: Option<&str>) -> Answer<Migrations> {
        let query: Vec<_> = release
            .map(|release| ("release", release.to_owned()))
            .into_iter()
            .collect();
        self.get(&["targets", &target.to_string(), "migrations"], &query)
            .await
    }

    pub async fn migrate(&self, target: &TargetName, wish: &MigrationRequest) -> Answer<MigrationRun> {
        let path = ["targets", &target.to_string(), "migrations"];
        self.change(Method::POST, &path, Some(wish)).await
    }

    pub async fn locks(&self) -> Answer<Vec<Lock>> {
        self.get(&["locks"], &[]).await
    }

    pub async fn lock(&self, target: &TargetName, wish: &NewLock) -> Answer<Vec<Lock>> {
        let path = ["targets", &target.to_string(), "lock"];
        self.change(Method::PUT, &path, Some(wish)).await
    }

    pub async fn unlock(&self, target: &TargetName) -> Answer<Vec<Lock>> {
        let path = ["targets", &target.to_string(), "lock"];
        self.change(Method::DELETE, &path, None::<&()>).await
    }

    pub async fn stop(&self, wish: &NewLock) -> Answer<Vec<Lock>> {
        self.change(Method::PUT, &["stop"], Some(wish)).await
    }

    pub async fn go_on(&self) -> Answer<Vec<Lock>> {
        self.change(Method::DELETE, &["stop"], None::<&()>).await
    }

    pub async fn garbage(&self, wish: &GarbageRequest) -> Answer<Garbage> {
        self.change(Method::POST, &["garbage"], Some(wish)).await
    }

    pub async fn undo_garbage(&self, wish: &UndoRequest) -> Answer<Undone> {
        self.change(Method::POST, &["garbage", "undo"], Some(wish)).await
    }

    pub async fn garbage_schedules(&self) -> Answer<Vec<GarbageSchedule>> {
        self.get(&["garbage", "schedules"], &[]).await
    }

    pub async fn set_garbage_schedule(&self, wish: &GarbageSchedule) -> Answer<GarbageSchedule> {
        self.change(Method::PUT, &["garbage", "schedules"], Some(wish))
            .await
    }

    pub async fn pin(&self, project: &ProjectName, release: &str, wish: &PinRequest) -> Answer<()> {
        let path = ["projects", project.as_str(), "releases", release, "pin"];
        let _answer: IgnoredAny = self.change(Method::PUT, &path, Some(wish)).await?;
        Ok(())
    }

    pub async fn set_variable(&self, variable: &Variable) -> Answer<()> {
        let _answer: IgnoredAny = self.change(Method::PUT, &["variables"], Some(variable)).await?;
        Ok(())
    }

    pub async fn unset_variable(&self, variable: &VariableRef) -> Answer<()> {
        let _answer: IgnoredAny = self
            .change(Method::DELETE, &["variables"], Some(variable))
            .await?;
        Ok(())
    }

    pub async fn variables(&self, most: usize) -> Answer<Listing<Variable>> {
        self.list(&["variables"], &[], most).await
    }

    pub async fn apply(&self, document: &Document) -> Answer<Applied> {
        self.change(Method::PUT, &["apply"], Some(document)).await
    }

    pub async fn recipe(&self, project: &ProjectName) -> Answer<Recipe> {
        self.get(&["projects", project.as_str(), "recipe"], &[]).await
    }

    pub async fn recipe_revisions(
        &self,
        project: &ProjectName,
        most: usize,
    ) -> Answer<Listing<RecipeRevision>> {
        self.list(&["projects", project.as_str(), "recipe", "revisions"], &[], most)
            .await
    }

    pub async fn recipe_revision(&self, project: &ProjectName, revision: u32) -> Answer<RecipeRevision> {
        let path = [
            "projects",
            project.as_str(),
            "recipe",
            "revisions",
            &revision.to_string(),
        ];
        self.get(&path, &[]).await
    }

    pub async fn write_recipe(&self, project: &ProjectName, wish: &NewRecipe) -> Answer<Recipe> {
        let path = ["projects", project.as_str(), "recipe"];
        self.change(Method::PUT, &path, Some(wish)).await
    }

    pub async fn use_recipe(&self, project: &ProjectName, wish: UseRecipe) -> Answer<()> {
        let path = ["projects", project.as_str(), "recipe", "source"];
        let _answer: IgnoredAny = self.change(Method::PUT, &path, Some(&wish)).await?;
        Ok(())
    }

    pub async fn build(&self, project: &ProjectName, release: &NewRelease) -> Answer<Release> {
        let path = ["projects", project.as_str(), "releases"];
        self.change(Method::POST, &path, Some(release)).await
    }

    pub async fn releases(&self, project: &ProjectName, most: usize) -> Answer<Listing<Release>> {
        self.list(&["projects", project.as_str(), "releases"], &[], most)
            .await
    }

    pub async fn release(&self, project: &ProjectName, spec: &str) -> Answer<Release> {
        self.get(&["projects", project.as_str(), "releases", spec], &[])
            .await
    }

    pub async fn mark(
        &self,
        project: &ProjectName,
        release: &str,
        mark: &MarkName,
        wish: &NewMark,
    ) -> Answer<()> {
        let path = [
            "projects",
            project.as_str(),
            "releases",
            release,
            "marks",
            mark.as_str(),
        ];
        let _answer: IgnoredAny = self.change(Method::PUT, &path, Some(wish)).await?;
        Ok(())
    }

    pub async fn unmark(&self, project: &ProjectName, release: &str, mark: &MarkName) -> Answer<()> {
        let path = [
            "projects",
            project.as_str(),
            "releases",
            release,
            "marks",
            mark.as_str(),
        ];
        let _answer: IgnoredAny = self.change(Method::DELETE, &path, None::<&()>).await?;
        Ok(())
    }

    pub async fn jobs(
        &self,
        state: Option<JobState>,
        deployment: Option<i64>,
        most: usize,
    ) -> Answer<Listing<Job>> {
        let mut query = Vec::new();
        query.extend(state.map(|state| ("state", state.as_str().to_owned())));
        query.extend(deployment.map(|number| ("deployment", number.to_string())));
        self.list(&["jobs"], &query, most).await
    }

    pub async fn dead_letters(&self, most: usize) -> Answer<Listing<DeadLetter>> {
        self.list(&["dead-letters"], &[], most).await
    }

    pub async fn job(&self, number: i64) -> Answer<Job> {
        self.get(&["jobs", &number.to_string()], &[]).await
    }

    pub async fn cancel_job(&self, number: i64, wish: &CancelRequest) -> Answer<()> {
        let path = ["jobs", &number.to_string(), "cancel"];
        let _answer: IgnoredAny = self.change(Method::POST, &path, Some(wish)).await?;
        Ok(())
    }

    pub async fn log(&self, lines: LogQuery) -> Answer<LogPage> {
        let query = [
            ("epoch", lines.epoch.to_string()),
            ("after", lines.after.to_string()),
            ("limit", lines.limit.to_string()),
        ];
        self.get(&["jobs", &lines.job.to_string(), "log"], &query).await
    }

    pub async fn hosts(&self, most: usize) -> Answer<Listing<Host>> {
        self.list(&["hosts"], &[], most).await
    }

    pub async fn host(&self, host: &HostId) -> Answer<Host> {
        self.get(&["hosts", host.as_str()], &[]).await
    }

    pub async fn pause_host(&self, host: &HostId, wish: &NewHostPause) -> Answer<Host> {
        let path = ["hosts", host.as_str(), "pause"];
        self.change(Method::PUT, &path, Some(wish)).await
    }

    pub async fn resume_host(&self, host: &HostId) -> Answer<Host> {
        let path = ["hosts", host.as_str(), "pause"];
        self.change(Method::DELETE, &path, None::<&()>).await
    }

    pub async fn revoke_host(&self, host: &HostId) -> Answer<()> {
        let path = ["hosts", host.as_str(), "revoke"];
        let _answer: IgnoredAny = self.change(Method::POST, &path, None::<&()>).await?;
        Ok(())
    }

    pub async fn invite_host(&self, wish: &NewJoinToken) -> Answer<JoinToken> {
        self.change(Method::POST, &["join-tokens"], Some(wish)).await
    }

    pub async fn create_token(&self, wish: &NewToken) -> Answer<IssuedToken> {
        self.change(Method::POST, &["tokens"], Some(wish)).await
    }

    pub async fn tokens(&self, most: usize) -> Answer<Listing<TokenInfo>> {
        self.list(&["tokens"], &[], most).await
    }

    pub async fn revoke_token(&self, id: &str) -> Answer<()> {
        let _answer: IgnoredAny = self.change(Method::DELETE, &["tokens", id], None::<&()>).await?;
        Ok(())
    }
}
