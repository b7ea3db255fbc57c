//! ssh keys of projects: read as OpenSSH writes them, made, and shown by their public half. It refuses keys with a
//! passphrase, which nobody would be there to type, and keys of devices.

use pointsman_shared::name::ProjectName;
use rand::TryRng as _;
use rand::rngs::SysRng;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::public::Ed25519PublicKey;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};
use zeroize::Zeroizing;

/// Longest text of a key, or of known hosts, in bytes.
const LONGEST: usize = 32 * 1024;

/// Why a text is no key or no list of known hosts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not as OpenSSH writes it.
    #[error("it is no private key in the format of OpenSSH")]
    Unreadable,
    /// It is a public key.
    #[error("it is the public half of a key")]
    Public,
    /// It has a passphrase.
    #[error("it has a passphrase, which nobody would be there to type")]
    Passphrase,
    /// It is of a kind that is not used.
    #[error("keys of the kind {0} are not used")]
    Kind(String),
    /// A line of known hosts cannot be read.
    #[error("line {0} of the known hosts is not as ssh-keyscan prints it")]
    KnownHost(usize),
    /// It is longer than any key.
    #[error("it is longer than 32 KiB")]
    TooLong,
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
}

impl KeyError {
    /// What to do.
    pub const fn cure(&self) -> &'static str {
        match self {
            Self::Unreadable => {
                "give the file that ssh-keygen made; `ssh-keygen -p -f FILE` writes an older format anew"
            }
            Self::Public => "give the file without .pub",
            Self::Passphrase => {
                "take a copy without one: ssh-keygen -p -f COPY, or let `key generate` make a key"
            }
            Self::Kind(_) => "make one: ssh-keygen -t ed25519, or `key generate`",
            Self::KnownHost(_) => {
                "give the lines that ssh-keyscan prints, compared with what the server's administrator says"
            }
            Self::TooLong => "give one key, and the hosts of one server",
            Self::Randomness => "try again; the coordinator's log may say more",
        }
    }
}

/// A key, both halves.
pub struct DeployKey {
    /// The private half, as OpenSSH writes it.
    pub private: Zeroizing<String>,
    /// The public half, one line.
    pub public: String,
    /// `SHA256:...`
    pub fingerprint: String,
}

/// Only the fingerprint is shown.
impl std::fmt::Debug for DeployKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeployKey")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// Reads a private key; its public half gets the project's name as its comment.
pub fn read(text: &str, project: &ProjectName) -> Result<DeployKey, KeyError> {
    if text.len() > LONGEST {
        return Err(KeyError::TooLong);
    }
    let mut plain = Zeroizing::new(text.trim().replace("\r\n", "\n"));
    plain.push('\n');
    if ssh_key::PublicKey::from_openssh(plain.trim()).is_ok() {
        return Err(KeyError::Public);
    }
    let key = PrivateKey::from_openssh(plain.as_str()).map_err(|_| KeyError::Unreadable)?;
    if key.is_encrypted() {
        return Err(KeyError::Passphrase);
    }
    let kind = key.algorithm();
    if !matches!(
        kind,
        Algorithm::Ed25519 | Algorithm::Rsa { .. } | Algorithm::Ecdsa { .. }
    ) {
        return Err(KeyError::Kind(kind.to_string()));
    }
    of(&key, plain, project)
}

/// Makes an ed25519 key.
pub fn make(project: &ProjectName) -> Result<DeployKey, KeyError> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    SysRng
        .try_fill_bytes(seed.as_mut())
        .map_err(|_| KeyError::Randomness)?;
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    let pair = Ed25519Keypair {
        public: Ed25519PublicKey(public.to_bytes()),
        private: Ed25519PrivateKey::from_bytes(&seed),
    };
    let key = PrivateKey::new(KeypairData::Ed25519(pair), comment(project));
    let key = key.map_err(|_| KeyError::Unreadable)?;
    let private = key.to_openssh(LineEnding::LF).map_err(|_| KeyError::Unreadable)?;
    of(&key, private, project)
}

fn of(key: &PrivateKey, private: Zeroizing<String>, project: &ProjectName) -> Result<DeployKey, KeyError> {
    let mut public = key.public_key().clone();
    public.set_comment(comment(project));
    Ok(DeployKey {
        private,
        fingerprint: public.fingerprint(HashAlg::Sha256).to_string(),
        public: public.to_openssh().map_err(|_| KeyError::Unreadable)?,
    })
}

fn comment(project: &ProjectName) -> String {
    format!("pointsman-{project}")
}

/// Reads lines of known hosts; empty lines and comments are left out.
pub fn known_hosts(text: &str) -> Result<String, KeyError> {
    if text.len() > LONGEST {
        return Err(KeyError::TooLong);
    }
    let mut kept = String::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.parse::<ssh_key::known_hosts::Entry>().is_err() || line.contains(char::is_control) {
            return Err(KeyError::KnownHost(number));
        }
        kept.push_str(line);
        kept.push('\n');
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> ProjectName {
        "shop".parse().unwrap()
    }

    #[test]
    fn a_made_key_is_read_again_as_itself() {
        let made = make(&shop()).unwrap();
        assert!(made.public.starts_with("ssh-ed25519 AAAA") && made.public.ends_with(" pointsman-shop"));
        assert!(made.fingerprint.starts_with("SHA256:"));
        let read = read(&made.private.replace('\n', "\r\n"), &shop()).unwrap();
        assert_eq!(
            (&read.public, &read.fingerprint),
            (&made.public, &made.fingerprint)
        );
        assert_eq!(*read.private, *made.private);
        assert_ne!(make(&shop()).unwrap().fingerprint, made.fingerprint);
        assert!(!format!("{made:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_is_no_key_is_told_with_what_to_do() {
        let made = make(&shop()).unwrap();
        assert_eq!(read("nothing", &shop()).unwrap_err(), KeyError::Unreadable);
        assert_eq!(read(&made.public, &shop()).unwrap_err(), KeyError::Public);
        assert_eq!(read(&"x".repeat(40_000), &shop()).unwrap_err(), KeyError::TooLong);
        // ssh-keygen -t ed25519 -N secret
        let locked = include_str!("deploy_key/with_passphrase");
        assert_eq!(read(locked, &shop()).unwrap_err(), KeyError::Passphrase);
    }

    #[test]
    fn known_hosts_are_judged_line_by_line() {
        let key = make(&shop()).unwrap().public;
        let (kind, rest) = key.split_once(' ').unwrap();
        let blob = rest.split(' ').next().unwrap();
        let line = format!("[git.example.org]:2222,10.0.0.1 {kind} {blob}");
        let text = format!("# the forge\n\n{line}\n");
        assert_eq!(known_hosts(&text).unwrap(), format!("{line}\n"));
        assert_eq!(known_hosts("").unwrap(), "");
        for (text, number) in [
            (format!("{line}\ngit.example.org\n"), 2),
            (format!("git.example.org {kind} AAAA\n"), 1),
            ("<html>".to_owned(), 1),
        ] {
            assert_eq!(
                known_hosts(&text).unwrap_err(),
                KeyError::KnownHost(number),
                "{text}"
            );
        }
    }
}
