//! `why`: from the wish to the job to the host, in words, each line with what to do about it.
//!
//! It asks what every other command asks, and decides nothing: the reasons are the coordinator's, this only follows them
//! from one thing to the next.

mod chain;
mod deployment;
mod host;
mod job;
mod target;

use chain::Chain;
use pointsman_shared::api::fleet::Severity;

use crate::args::{Subject, Why};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::session::Session;

/// What an explanation is made from.
struct Asked<'a> {
    session: &'a Session,
    client: Client,
    chain: Chain,
}

/// Explains.
pub async fn why(session: &Session, args: Why) -> Result<Exit, CliError> {
    let mut asked = Asked {
        session,
        client: session.client()?,
        chain: Chain::default(),
    };
    match (args.subject, args.job) {
        (Some(Subject::Deployment(number)), _) => {
            let deployment = asked.client.deployment(number).await?;
            asked.deployment(0, &deployment).await?;
        }
        (Some(Subject::Target(target)), _) => asked.target(&target).await?,
        (Some(Subject::Host(host)), _) => asked.whole_host(&host).await?,
        (None, Some(number)) => {
            let job = asked.client.job(number).await?;
            if let Some(number) = job.deployment {
                let deployment = asked.client.deployment(number).await?;
                asked.wish(0, &deployment);
            }
            asked.job(usize::from(job.deployment.is_some()), &job).await?;
        }
        (None, None) => {
            return Err(CliError::usage(
                "explain what?",
                "pointsman why NUMBER|PROJECT@ENVIRONMENT|HOST",
            ));
        }
    }
    // What agents say comes through the broker; without it every other reason misleads.
    for finding in asked.client.doctor().await? {
        if finding.severity == Severity::Fail && finding.text.starts_with("broker") {
            let cure = finding.cure.map(|cure| format!("; {cure}")).unwrap_or_default();
            session.printer.warn(&format!("{}{cure}", finding.text));
        }
    }
    asked.chain.show(session)?;
    Ok(Exit::Ok)
}
