//! E-mail by SMTP: plain text, and one thread for each deployment. The first mail of a thread bears the thread's own id,
//! so that later ones refer to it whatever became of it; a mail that is sent again bears the same id again.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use pointsman_domain::notify::text;
use pointsman_shared::api::notifications::Notice;

use crate::config::{SmtpSection, SmtpTls};

/// Longest wait for each answer of the server.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest time for a whole mail.
const WHOLE: Duration = Duration::from_mins(1);

/// A mail, before it is written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mail<'a> {
    /// The sender.
    pub(super) from: &'a str,
    /// The receivers.
    pub(super) to: &'a [String],
    /// What is told.
    pub(super) notice: &'a Notice,
    /// What stands before `@` in its own id.
    pub(super) id: &'a str,
    /// What stands there in the id of its thread, and whether this is the thread's first mail.
    pub(super) thread: Option<(&'a str, bool)>,
    /// What stands behind `@` in ids: this installation's server.
    pub(super) domain: &'a str,
}

/// Writes a mail down.
pub(super) fn written(mail: &Mail<'_>) -> Result<Message, String> {
    let notice = mail.notice;
    let wrong = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let from: Mailbox = mail
        .from
        .parse()
        .map_err(|error| wrong("notify.smtp.from", &error))?;
    let mut message = Message::builder().from(from).date(SystemTime::from(notice.at));
    for address in mail.to {
        let to: Mailbox = address.parse().map_err(|error| wrong(address, &error))?;
        message = message.to(to);
    }
    let subject = format!("[{}] {}", notice.installation, text::title(notice));
    let id = |local: &str| format!("<{local}@{}>", mail.domain);
    message = match mail.thread {
        Some((root, true)) => message.subject(subject).message_id(Some(id(root))),
        Some((root, false)) => message
            .subject(format!("Re: {subject}"))
            .message_id(Some(id(mail.id)))
            .in_reply_to(id(root))
            .references(id(root)),
        None => message.subject(subject).message_id(Some(id(mail.id))),
    };
    let message = marked(message, notice);
    message
        .singlepart(SinglePart::plain(body(notice)))
        .map_err(|error| wrong("the mail", &error))
}

/// So that no robot answers, and filters can sort.
fn marked(message: MessageBuilder, notice: &Notice) -> MessageBuilder {
    let header = |name: &'static str, value: &str| {
        HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
    };
    message
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Pointsman-Event", &notice.topic))
}

fn body(notice: &Notice) -> String {
    let mut body = format!("{}\n\n{}\n", text::line(notice), text::moment(notice.at));
    // A text in memory takes whatever is written to it.
    if let Some(deployment) = &notice.deployment {
        writeln!(body, "commit {}", deployment.commit).ok();
        if let Some(from) = &deployment.from {
            writeln!(body, "live before: {from}").ok();
        }
        if let Some(reason) = &deployment.reason {
            writeln!(body, "reason: {reason}").ok();
        }
    }
    writeln!(body, "{}", notice.url).ok();
    body
}

/// Sends a mail; the server's answer, or its status and why not.
pub(super) async fn send(
    section: &SmtpSection,
    domain: &str,
    message: Message,
) -> Result<(u16, String), (Option<u16>, String)> {
    let transport = transport(section, domain).map_err(|why| (None, why))?;
    let sent = tokio::time::timeout(WHOLE, transport.send(message)).await;
    let sent = sent.map_err(|_| (None, format!("the mail server took longer than {WHOLE:?}")))?;
    match sent {
        Ok(response) => {
            let said: Vec<&str> = response.message().collect();
            Ok((response.code().into(), said.join("\n")))
        }
        Err(error) => Err((error.status().map(u16::from), told(&error))),
    }
}

fn transport(section: &SmtpSection, domain: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let parameters = || {
        let mut parameters = TlsParameters::builder(section.host.clone());
        if let Some(file) = &section.ca_file {
            let pem = fs_err::read(file).map_err(|error| format!("notify.smtp.ca_file: {error}"))?;
            let ca = Certificate::from_pem(&pem)
                .map_err(|error| format!("notify.smtp.ca_file: {}", told(&error)))?;
            parameters = parameters.add_root_certificate(ca);
        }
        parameters
            .build()
            .map_err(|error| format!("TLS: {}", told(&error)))
    };
    let (tls, usual) = match section.tls {
        SmtpTls::Starttls => (Tls::Required(parameters()?), 587),
        SmtpTls::Implicit => (Tls::Wrapper(parameters()?), 465),
        SmtpTls::None => (Tls::None, 25),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&section.host)
        .port(section.port.unwrap_or(usual))
        .tls(tls)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain(domain.to_owned()));
    if let Some(user) = &section.user {
        builder = builder.credentials(Credentials::new(user.clone(), section.password.clone()));
    }
    Ok(builder.build())
}

/// An error with its causes.
fn told(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        write!(words, ": {cause}").ok();
        next = cause.source();
    }
    words
}

/// Whether mail can be addressed so.
pub fn is_mailbox(address: &str) -> bool {
    address.parse::<Mailbox>().is_ok()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pointsman_shared::api::notifications::{DeploymentNotice, Turn};

    use super::*;

    fn notice() -> Notice {
        Notice {
            topic: "deploy.failed".to_owned(),
            turn: Turn::Failure,
            at: DateTime::UNIX_EPOCH,
            cursor: Some(7),
            installation: "main".to_owned(),
            project: Some("shop".to_owned()),
            environment: Some("production".to_owned()),
            target: Some("shop@production".to_owned()),
            deployment: Some(DeploymentNotice {
                number: 812,
                kind: "deploy".to_owned(),
                release: "1.9.1".to_owned(),
                commit: "3f9c1e20".to_owned(),
                from: Some("1.9.0".to_owned()),
                by: "ann".to_owned(),
                reason: None,
                started_at: None,
                ended_at: None,
            }),
            job: None,
            host: None,
            message: "shop@production #812: failed on web-1: disk full".to_owned(),
            url: "https://pointsman.example.org/deployments/812".to_owned(),
        }
    }

    fn text(thread: Option<(&str, bool)>, notice: &Notice) -> String {
        let mail = Mail {
            from: "Pointsman <pointsman@example.org>",
            to: &["ops@example.org".to_owned(), "Ann <ann@example.org>".to_owned()],
            notice,
            id: "msg_1",
            thread,
            domain: "pointsman.example.org",
        };
        let bytes = written(&mail).unwrap().formatted();
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn the_first_mail_of_a_deployment_bears_the_id_of_its_thread() {
        insta::assert_snapshot!(text(Some(("deployment-812.ops", true)), &notice()), @"
        From: Pointsman <pointsman@example.org>
        Date: Thu, 01 Jan 1970 00:00:00 +0000
        To: ops@example.org, Ann <ann@example.org>
        Subject: [main] shop@production #812: 1.9.1, asked for by ann
        Message-ID: <deployment-812.ops@pointsman.example.org>
        Auto-Submitted: auto-generated
        X-Pointsman-Event: deploy.failed
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Transfer-Encoding: quoted-printable

        =E2=9C=97 failed on web-1: disk full

        1970-01-01 00:00:00 UTC
        commit 3f9c1e20
        live before: 1.9.0
        https://pointsman.example.org/deployments/812
        ");
    }

    #[test]
    fn later_mails_refer_to_it() {
        let later = text(Some(("deployment-812.ops", false)), &notice());
        for header in [
            "Subject: Re: [main] shop@production #812: 1.9.1, asked for by ann",
            "Message-ID: <msg_1@pointsman.example.org>",
            "In-Reply-To: <deployment-812.ops@pointsman.example.org>",
            "References: <deployment-812.ops@pointsman.example.org>",
        ] {
            assert!(later.contains(header), "{header}: {later}");
        }
        let alone = text(None, &notice());
        assert!(
            !alone.contains("References") && alone.contains("Message-ID: <msg_1@"),
            "{alone}"
        );
    }

    #[test]
    fn no_name_can_add_a_header() {
        let mut notice = notice();
        notice.deployment = None;
        notice.target = Some("shop@production\r\nBcc: everybody@example.org".to_owned());
        assert!(!text(None, &notice).lines().any(|line| line.starts_with("Bcc:")));
    }
}
