//! The address of a repository: taken apart by strict rules, rebuilt in one canonical form.
//!
//! It refuses to look names up or to reach anything; whether an address may be used is decided by who fetches.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InvalidRepository;
use crate::address::is_inner;

/// How a repository is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `https://host/path`.
    Https,
    /// `ssh://user@host/path` or `user@host:path`.
    Ssh,
    /// A folder of this machine; allowed only by configuration.
    File,
}

/// Address of a git repository in its one canonical form.
///
/// Host in lower case, no default port, no trailing slash. The scp form `user@host:path` stays as it is, because its
/// path is relative to the account's home and `ssh://` paths are not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryUrl(Address);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Address {
    Https {
        host: String,
        port: Option<u16>,
        path: String,
    },
    Ssh {
        user: Option<String>,
        host: String,
        port: Option<u16>,
        path: String,
    },
    Scp {
        user: Option<String>,
        host: String,
        path: String,
    },
    File {
        path: String,
    },
}

const ADDRESS_RULE: &str =
    "write https://host/path, ssh://user@host/path, user@host:path, or an absolute path (file:///path)";
const CREDENTIALS_RULE: &str = "credentials do not belong in the address; leave them out and put them into the git settings of the machine that fetches";

impl RepositoryUrl {
    /// How the repository is reached.
    pub fn protocol(&self) -> Protocol {
        match &self.0 {
            Address::Https { .. } => Protocol::Https,
            Address::Ssh { .. } | Address::Scp { .. } => Protocol::Ssh,
            Address::File { .. } => Protocol::File,
        }
    }

    /// The server's name or address (IPv6 in brackets); none for a local folder.
    pub fn host(&self) -> Option<&str> {
        match &self.0 {
            Address::Https { host, .. } | Address::Ssh { host, .. } | Address::Scp { host, .. } => Some(host),
            Address::File { .. } => None,
        }
    }

    /// The folder of a local repository; none for a remote one.
    pub fn local_path(&self) -> Option<&str> {
        match &self.0 {
            Address::File { path } => Some(path),
            Address::Https { .. } | Address::Ssh { .. } | Address::Scp { .. } => None,
        }
    }

    /// True if the host is written as `localhost` or as an address that no public server has.
    ///
    /// Names are not looked up here.
    pub fn names_inner_address(&self) -> bool {
        let Some(host) = self.host() else { return false };
        if host == "localhost" || host.ends_with(".localhost") {
            return true;
        }
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => is_inner(address),
            // The last part of a public name is never a number; `127.1` and `0x7f.1` are addresses in disguise.
            Err(_) => host
                .rsplit('.')
                .next()
                .is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit())),
        }
    }
}

impl FromStr for RepositoryUrl {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |why| InvalidRepository {
            what: "repository address",
            text: redacted(text),
            why,
        };
        if text.is_empty() || text.len() > 1000 || text.chars().any(char::is_control) {
            return Err(invalid("1 to 1000 characters without control characters"));
        }
        if let Some(rest) = text.strip_prefix("https://") {
            return https(rest).map(Self).map_err(invalid);
        }
        if let Some(rest) = text.strip_prefix("ssh://") {
            return ssh(rest).map(Self).map_err(invalid);
        }
        if let Some(rest) = text.strip_prefix("file://") {
            let path = percent_decoded(rest).ok_or_else(|| invalid("a broken % sequence"))?;
            return local(&path).map(Self).map_err(invalid);
        }
        if text.starts_with('/') {
            return local(text).map(Self).map_err(invalid);
        }
        if text.contains("://") {
            return Err(invalid("only https, ssh and file are possible"));
        }
        scp(text).map(Self).map_err(invalid)
    }
}

/// The text without userinfo and query, because a refused address may hold a password.
fn redacted(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let cut = |text: &str| text.chars().take(120).collect::<String>();
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}://***@{}", cut(&text[..scheme]), cut(&text[at + 1..]))
        }
        (None, Some(at)) => format!("***@{}", cut(&text[at + 1..])),
        (_, _) => cut(text),
    }
}

fn https(rest: &str) -> Result<Address, &'static str> {
    let (authority, path) = authority_and_path(rest)?;
    if authority.contains('@') {
        return Err(CREDENTIALS_RULE);
    }
    let (host, port) = host_and_port(authority)?;
    Ok(Address::Https {
        host,
        port: port.filter(|port| *port != 443),
        path: remote_path(path)?,
    })
}

fn ssh(rest: &str) -> Result<Address, &'static str> {
    let (authority, path) = authority_and_path(rest)?;
    let (user, server) = user_and_server(authority)?;
    let (host, port) = host_and_port(server)?;
    Ok(Address::Ssh {
        user,
        host,
        port: port.filter(|port| *port != 22),
        path: remote_path(path)?,
    })
}

fn scp(text: &str) -> Result<Address, &'static str> {
    let (authority, path) = text.split_once(':').ok_or(ADDRESS_RULE)?;
    // `ext::command` is git's way to name a program that is run.
    if path.starts_with([':', '-']) || authority.contains('/') {
        return Err(ADDRESS_RULE);
    }
    // `user:password@host:path`
    if path.split('/').next().is_some_and(|first| first.contains('@')) {
        return Err(CREDENTIALS_RULE);
    }
    let (user, host) = user_and_server(authority)?;
    let (host, _) = host_and_port(host)?;
    Ok(Address::Scp {
        user,
        host,
        path: remote_path(path)?,
    })
}

fn local(path: &str) -> Result<Address, &'static str> {
    let trimmed = path.trim_end_matches('/');
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !trimmed
        .strip_prefix('/')
        .is_some_and(|rest| rest.split('/').all(plain))
    {
        return Err("a local repository is an absolute path without '.', '..' and '//'");
    }
    if trimmed.chars().any(char::is_control) {
        return Err("1 to 1000 characters without control characters");
    }
    Ok(Address::File {
        path: trimmed.to_owned(),
    })
}

fn authority_and_path(rest: &str) -> Result<(&str, &str), &'static str> {
    rest.find('/')
        .map(|slash| rest.split_at(slash))
        .ok_or(ADDRESS_RULE)
}

fn user_and_server(authority: &str) -> Result<(Option<String>, &str), &'static str> {
    let Some((user, server)) = authority.rsplit_once('@') else {
        return Ok((None, authority));
    };
    if user.contains(':') {
        return Err(CREDENTIALS_RULE);
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+~".contains(&b);
    if user.is_empty() || user.starts_with('-') || !user.bytes().all(plain) {
        return Err("the user name may hold letters, digits and . _ - + ~, and begins with no hyphen");
    }
    Ok((Some(user.to_owned()), server))
}

fn host_and_port(server: &str) -> Result<(String, Option<u16>), &'static str> {
    const RULE: &str = "the host is a name of letters, digits, dots and inner hyphens, or an IP address";
    let (host, port) = match server.rfind(']') {
        Some(end) => (
            &server[..=end],
            server[end + 1..]
                .strip_prefix(':')
                .or((!server.ends_with(']')).then_some("")),
        ),
        None => server
            .split_once(':')
            .map_or((server, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        None => None,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => match text.parse() {
            Ok(port) if port > 0 => Some(port),
            Ok(_) | Err(_) => return Err("the port is a number from 1 to 65535"),
        },
        Some(_) => return Err("the port is a number from 1 to 65535"),
    };
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        let address: Ipv6Addr = inner.parse().map_err(|_| RULE)?;
        return Ok((format!("[{address}]"), port));
    }
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return Err(RULE);
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn remote_path(path: &str) -> Result<String, &'static str> {
    let trimmed = path.trim_end_matches('/');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._~/+%@:=,-".contains(&b);
    if trimmed.is_empty() || !trimmed.bytes().all(plain) {
        return Err("the path may hold letters, digits and . _ ~ / + % @ : = , -");
    }
    // A password with a slash in it puts the `@` behind the first slash.
    if trimmed
        .find(':')
        .is_some_and(|colon| trimmed[colon..].contains('@'))
    {
        return Err(CREDENTIALS_RULE);
    }
    if trimmed.split('/').any(|part| part == "..") {
        return Err("the path may not contain '..'");
    }
    Ok(trimmed.to_owned())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        bytes.extend(hex::decode(part.get(..2)?).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

impl fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = |user: &Option<String>| user.as_ref().map_or_else(String::new, |user| format!("{user}@"));
        let port = |port: &Option<u16>| port.map_or_else(String::new, |port| format!(":{port}"));
        match &self.0 {
            Address::Https { host, port: p, path } => write!(f, "https://{host}{}{path}", port(p)),
            Address::Ssh {
                user: u,
                host,
                port: p,
                path,
            } => {
                write!(f, "ssh://{}{host}{}{path}", user(u), port(p))
            }
            Address::Scp { user: u, host, path } => write!(f, "{}{host}:{path}", user(u)),
            Address::File { path } => write!(f, "file://{}", path.replace('%', "%25")),
        }
    }
}
