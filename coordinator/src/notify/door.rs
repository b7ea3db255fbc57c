//! The door through which requests to receivers leave: https only, unless the configuration allows more; the name is
//! looked up once and the connection goes to what was found; inner addresses only where the configuration names the
//! server; no redirect is followed; no proxy of the environment is asked.
//!
//! Whoever may make a channel must not be able to have the coordinator knock at doors of its own network.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use pointsman_shared::address::is_inner;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::config::NotifySection;

/// Longest time for a whole request.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest time for a connection, and for looking up its name.
const CONNECT: Duration = Duration::from_secs(5);
/// As much of an answer is read, in bytes.
const ANSWER: usize = 64 << 10;

/// An answer's beginning.
#[derive(Debug)]
pub(super) struct Answer {
    /// Its status.
    pub(super) status: u16,
    /// How long the receiver wants to be left alone.
    pub(super) retry_after: Option<Duration>,
    /// The beginning of its body.
    pub(super) text: String,
}

impl Answer {
    /// Why it is not what was hoped for.
    pub(super) fn complaint(&self) -> Option<String> {
        match self.status {
            200..300 => None,
            300..400 => Some(format!(
                "the receiver answered {}: it wants to be called elsewhere, and redirects are not followed; set the address \
                 it names",
                self.status
            )),
            status => Some(format!("the receiver answered {status}")),
        }
    }
}

/// Why an address may not be used, as far as that can be told from the address.
pub fn objection(section: &NotifySection, url: &Url) -> Option<String> {
    match url.scheme() {
        "https" => {}
        "http" if section.allow_http => {}
        "http" => return Some("it is plain http; use https, or set notify.allow_http".to_owned()),
        other => return Some(format!("{other} is no way to reach a receiver; use https")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("it holds a user or password; a signature proves who sends".to_owned());
    }
    let host = url.host()?;
    if is_named(section, &host) {
        return None;
    }
    if !section.hosts.is_empty() {
        return Some(format!("{host} is not among notify.hosts"));
    }
    let literal = match host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    literal
        .filter(|address| is_inner(*address))
        .map(|address| inner(&address))
}

fn inner(address: &IpAddr) -> String {
    format!("{address} is an inner address, and an inner address must be named among notify.hosts")
}

fn is_named(section: &NotifySection, host: &Host<&str>) -> bool {
    let host = host.to_string();
    let host = host.trim_matches(['[', ']']);
    section.hosts.iter().any(|named| named.eq_ignore_ascii_case(host))
}

/// The addresses of the receiver, looked up once; an inner one among them refuses all, unless the server is named.
async fn addresses(section: &NotifySection, url: &Url) -> Result<Vec<SocketAddr>, String> {
    let host = url.host().ok_or("the address names no server")?;
    let port = url.port_or_known_default().ok_or("the address names no port")?;
    let found: Vec<SocketAddr> = match host {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(name) => {
            let looked_up = tokio::time::timeout(CONNECT, tokio::net::lookup_host((name, port))).await;
            let looked_up =
                looked_up.map_err(|_| format!("{name} could not be looked up within {CONNECT:?}"))?;
            let looked_up = looked_up.map_err(|error| format!("{name} could not be looked up: {error}"))?;
            looked_up.collect()
        }
    };
    let refused = found.iter().find(|address| is_inner(address.ip()));
    match refused {
        Some(address) if !is_named(section, &host) => Err(inner(&address.ip())),
        Some(_) | None if found.is_empty() => Err(format!("{host} has no address")),
        Some(_) | None => Ok(found),
    }
}

/// Sends one request to a receiver.
pub(super) async fn post(
    section: &NotifySection,
    url: &Url,
    headers: HeaderMap,
    body: String,
) -> Result<Answer, String> {
    if let Some(objection) = objection(section, url) {
        return Err(objection);
    }
    let addresses = addresses(section, url).await?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .pool_max_idle_per_host(0)
        .user_agent(concat!("pointsman/", env!("CARGO_PKG_VERSION")))
        .resolve_to_addrs(url.host_str().unwrap_or_default(), &addresses)
        .build()
        .map_err(|error| told(&error))?;
    let request = client.post(url.clone()).headers(headers).body(body);
    let mut response = request.send().await.map_err(|error| told(&error))?;
    let mut text = Vec::new();
    while text.len() < ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            // Its status stands; how it goes on is not waited for.
            Ok(None) | Err(_) => break,
        }
    }
    text.truncate(ANSWER);
    let after = response.headers().get(RETRY_AFTER);
    let after = after.and_then(|after| after.to_str().ok()?.trim().parse().ok());
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: after.map(Duration::from_secs),
        // The database takes no NUL.
        text: String::from_utf8_lossy(&text).replace('\0', "\u{fffd}"),
    })
}

/// The cause in words, without the address, which may be a secret.
fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver did not answer in time".to_owned();
    }
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let what = if error.is_connect() {
        "no connection"
    } else {
        "the request failed"
    };
    if std::error::Error::source(error).is_some() {
        format!("{what}: {deepest}")
    } else {
        what.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(hosts: &[&str], allow_http: bool) -> NotifySection {
        NotifySection {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            allow_http,
            ..NotifySection::default()
        }
    }

    fn refused(section: &NotifySection, url: &str) -> bool {
        objection(section, &url.parse().unwrap()).is_some()
    }

    #[test]
    fn the_address_alone_tells_what_may_not_be_reached() {
        let usual = section(&[], false);
        for allowed in ["https://example.org/hook?key=1", "https://192.0.2.1:8443/"] {
            assert!(!refused(&usual, allowed), "{allowed}");
        }
        for inner in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://10.1.2.3/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
        ] {
            assert!(refused(&usual, inner), "{inner}");
        }
        for other in [
            "http://example.org/",
            "ftp://example.org/",
            "https://ann:secret@example.org/",
        ] {
            assert!(refused(&usual, other), "{other}");
        }
    }

    #[test]
    fn what_the_configuration_names_may_be_reached_and_then_nothing_else() {
        let named = section(&["127.0.0.1", "::1", "Hooks.Example.org"], true);
        for allowed in [
            "http://127.0.0.1:9/",
            "https://[::1]/",
            "https://hooks.example.org/x",
        ] {
            assert!(!refused(&named, allowed), "{allowed}");
        }
        for other in ["https://example.org/", "https://10.0.0.1/"] {
            assert!(refused(&named, other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused() {
        let url = "https://localhost:9/".parse().unwrap();
        assert!(objection(&section(&[], false), &url).is_none());
        let refused = addresses(&section(&[], false), &url).await.unwrap_err();
        assert!(refused.contains("inner address"), "{refused}");
        assert!(addresses(&section(&["localhost"], false), &url).await.is_ok());
    }
}
