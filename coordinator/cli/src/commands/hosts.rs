//! `hosts ls | show | invite | pause | resume | revoke`

use pointsman_shared::api::fleet::{Host, NewHostPause, NewJoinToken};
use pointsman_shared::name::HostId;

use super::listing;
use super::target::labels;
use crate::args::{HostsCommand, InviteHost};
use crate::client::Client;
use crate::error::CliError;
use crate::exit::Exit;
use crate::printer::Tone;
use crate::prompt;
use crate::session::Session;
use crate::table::{Cell, Narrow, Table};
use crate::text;

/// Runs the command.
pub async fn hosts(session: &Session, command: HostsCommand) -> Result<Exit, CliError> {
    match command {
        HostsCommand::Ls(rows) => {
            let hosts = session.client()?.hosts(rows.most()).await?;
            let empty = "no hosts yet; pointsman hosts invite HOST --labels role=web";
            listing::show(session, &hosts, &table(&hosts.items), empty)
        }
        HostsCommand::Show { host } => {
            let host = session.client()?.host(&host).await?;
            session.printer.show_fields(&host, &fields(&host))?;
            Ok(Exit::Ok)
        }
        HostsCommand::Invite(args) => invite(session, args).await,
        HostsCommand::Pause { host } => pause(session, &host).await,
        HostsCommand::Resume { host } => resume(session, &host).await,
        HostsCommand::Revoke { host } => revoke(session, host).await,
    }
}

/// The token stands alone on stdout; it is shown this once.
async fn invite(session: &Session, args: InviteHost) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let wish = NewJoinToken {
        host: args.host,
        labels: labels(args.labels),
        pools: args.pools,
        kinds: args.kinds,
        ttl_seconds: Some(args.ttl.as_secs().try_into().unwrap_or(u32::MAX)),
    };
    let invitation = client.invite_host(&wish).await?;
    let host = &invitation.host;
    let sentence = format!(
        "{host} to join once, until {}",
        text::moment(invitation.expires_at)
    );
    session.printer.say(Tone::Good, "Invited", &sentence);
    let join = format!(
        "on {host}, with coordinator.url = \"{}\" in its agent.toml: pointsman-agent join --token TOKEN",
        text::address(client.base())
    );
    session.printer.say(Tone::Busy, "Next", &join);
    session.printer.undo(&format!("pointsman hosts revoke {host}"));
    session.printer.show_value(&invitation, &invitation.token)?;
    Ok(Exit::Ok)
}

async fn pause(session: &Session, host: &HostId) -> Result<Exit, CliError> {
    let how = format!("pointsman hosts pause {host} --reason WHY");
    let reason = session.needed_reason("a pause", how)?;
    let paused = session
        .client()?
        .pause_host(host, &NewHostPause { reason })
        .await?;
    let sentence = match paused.running {
        0 => format!("{host}; it works on nothing"),
        1 => format!("{host}; it finishes one job"),
        many => format!("{host}; it finishes {many} jobs"),
    };
    session.printer.say(Tone::Good, "Paused", &sentence);
    session.printer.undo(&format!("pointsman hosts resume {host}"));
    session.printer.show_fields(&paused, &fields(&paused))?;
    Ok(Exit::Ok)
}

async fn resume(session: &Session, host: &HostId) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let before = client.host(host).await?.paused;
    let resumed = client.resume_host(host).await?;
    let sentence = format!("{host} gets work again");
    session.printer.say(Tone::Good, "Resumed", &sentence);
    if let Some(before) = before {
        let inverse = format!("pointsman hosts pause {host} --reason {:?}", before.reason);
        session.printer.undo(&inverse);
    }
    session.printer.show_fields(&resumed, &fields(&resumed))?;
    Ok(Exit::Ok)
}

async fn revoke(session: &Session, host: HostId) -> Result<Exit, CliError> {
    session.reason_is_not_kept();
    let client = session.client()?;
    let before = match client.host(&host).await {
        Err(CliError::Problem(problem)) if problem.code == "host_not_joined" => {
            return withdraw(session, &client, &host).await;
        }
        before => before?,
    };
    let question =
        format!("Take the key of {host} away? Its agent is shut out; what is live there stays live.");
    prompt::confirm(session, &question)?;
    client.revoke_host(&host).await?;
    session
        .printer
        .say(Tone::Good, "Revoked", &format!("the key of {host}"));
    let given: Vec<String> = before
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let labels = if given.is_empty() {
        String::new()
    } else {
        format!(" --labels {}", given.join(","))
    };
    let pools = if before.pools.is_empty() {
        String::new()
    } else {
        let pools: Vec<&str> = before.pools.iter().map(AsRef::as_ref).collect();
        format!(" --pools {}", pools.join(","))
    };
    session.printer.undo(&format!(
        "pointsman hosts invite {host}{labels}{pools}, then join again"
    ));
    Ok(Exit::Ok)
}

/// Of a host that was invited and has not joined.
async fn withdraw(session: &Session, client: &Client, host: &HostId) -> Result<Exit, CliError> {
    prompt::confirm(session, &format!("Withdraw the invitation of {host}?"))?;
    client.revoke_host(host).await?;
    let sentence = format!("the invitation of {host}");
    session.printer.say(Tone::Good, "Withdrew", &sentence);
    session.printer.undo(&format!("pointsman hosts invite {host}"));
    Ok(Exit::Ok)
}

fn table(hosts: &[Host]) -> Table {
    let mut table = Table::new([
        ("HOST", Narrow::Keep),
        ("STATE", Narrow::Keep),
        ("SEEN", Narrow::Keep),
        ("LAG", Narrow::Drop(5)),
        ("RUNNING", Narrow::Drop(2)),
        ("FREE", Narrow::Drop(1)),
        ("AGENT", Narrow::Drop(4)),
        ("POOLS", Narrow::Drop(3)),
        ("LABELS", Narrow::Cut(10)),
        ("PROBLEMS", Narrow::Cut(12)),
    ]);
    for host in hosts {
        table.row([
            host.id.as_str().into(),
            state(host),
            Cell::when(host.last_seen_at),
            lag(host),
            Cell::Number(host.running.into()),
            host.free_bytes.map_or(Cell::Nothing, Cell::Bytes),
            Cell::maybe(host.software.as_ref()),
            Cell::list(&host.pools),
            Cell::list(host.labels.iter().map(|(name, value)| format!("{name}={value}"))),
            Cell::list(&host.problems),
        ]);
    }
    table
}

/// How long it took from the newest offer of a job of its own to its claim.
fn lag(host: &Host) -> Cell {
    host.answer_ms.map_or(Cell::Nothing, |ms| Cell::Took(ms.into()))
}

/// How it is, in a word.
pub fn state(host: &Host) -> Cell {
    let (tone, word) = if host.revoked_at.is_some() {
        (Tone::Bad, "revoked")
    } else if host.joined_at.is_none() {
        (Tone::Faint, "invited")
    } else if host.stopped_at.is_some() {
        (Tone::Warning, "stopped")
    } else if host.paused.is_some() {
        let word = if host.running > 0 { "draining" } else { "paused" };
        (Tone::Warning, word)
    } else if !host.seen {
        (Tone::Bad, "absent")
    } else if host.late {
        (Tone::Warning, "late")
    } else if !host.problems.is_empty() {
        (Tone::Warning, "trouble")
    } else {
        (Tone::Good, "ok")
    };
    Cell::Toned(tone, word.to_owned())
}

fn fields(host: &Host) -> Vec<(&'static str, Cell)> {
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        Cell::list(map.iter().map(|(name, value)| format!("{name}={value}")))
    };
    let mut fields = vec![
        ("host", host.id.as_str().into()),
        ("name", host.display_name.as_str().into()),
        ("state", state(host)),
        ("problems", Cell::list(&host.problems)),
        ("seen", Cell::when(host.last_seen_at)),
        ("agent", Cell::maybe(host.software.as_ref())),
        ("labels", pairs(&host.labels)),
        ("pools", Cell::list(&host.pools)),
        ("kinds", Cell::list(&host.kinds)),
        ("running", Cell::Number(host.running.into())),
        ("free", host.free_bytes.map_or(Cell::Nothing, Cell::Bytes)),
    ];
    // Of these an older agent, or one that never spoke, says nothing.
    fields.extend(host.total_bytes.map(|bytes| ("disk", Cell::Bytes(bytes))));
    let clock = host.clock_offset_ms.map(|ms| format!("{ms:+} ms"));
    fields.extend(clock.map(|offset| ("clock", Cell::Text(offset))));
    let answered = host
        .answered_at
        .map(|at| [("lag", lag(host)), ("answered", Cell::At(at))]);
    fields.extend(answered.into_iter().flatten());
    fields.extend([
        ("facts", pairs(&host.facts)),
        ("joined", Cell::when(host.joined_at)),
        ("revoked", Cell::when(host.revoked_at)),
    ]);
    fields
}
