//! Addresses that are written relative to another one, as `.gitmodules` has them. What results is parsed by the same
//! strict rules as an address that stands alone, and never leaves the other's server.

use super::{InvalidRepository, RepositoryUrl};

impl RepositoryUrl {
    /// The address that `text` means in a repository at this one: `./` and `../` at its beginning are relative to it,
    /// everything else stands alone.
    pub fn resolve(&self, text: &str) -> Result<Self, InvalidRepository> {
        if !(text.starts_with("./") || text.starts_with("../")) {
            return text.parse();
        }
        let own = self.to_string();
        let (server, path) = split(&own);
        let leaves = || InvalidRepository {
            what: "repository address",
            text: text.chars().take(120).collect(),
            why: "it leads out of the server of the repository that names it",
        };
        let mut path = path;
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                rest = after;
                let trimmed = path.trim_end_matches('/');
                if trimmed.is_empty() {
                    return Err(leaves());
                }
                path = trimmed.rfind('/').map_or("", |slash| &trimmed[..slash]);
            } else {
                break;
            }
        }
        // The path of `user@host:path` may begin without a slash; that of all others begins with one.
        let between = if path.is_empty() && server.ends_with(':') {
            ""
        } else {
            "/"
        };
        format!("{server}{path}{between}{rest}").parse()
    }
}

/// An address as server and path.
fn split(own: &str) -> (&str, &str) {
    match own.find("://") {
        Some(scheme) => {
            let authority = scheme + 3;
            let path = own[authority..]
                .find('/')
                .map_or(own.len(), |slash| authority + slash);
            own.split_at(path)
        }
        None => own.find(':').map_or((own, ""), |colon| own.split_at(colon + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(own: &str, text: &str) -> String {
        let own: RepositoryUrl = own.parse().unwrap();
        own.resolve(text)
            .map_or_else(|error| format!("! {error}"), |url| url.to_string())
    }

    #[test]
    fn relative_addresses_stay_on_their_server() {
        for (own, text, expected) in [
            (
                "https://git.example.com/acme/shop",
                "../lib",
                "https://git.example.com/acme/lib",
            ),
            (
                "https://git.example.com/acme/shop.git",
                "../../other/lib.git",
                "https://git.example.com/other/lib.git",
            ),
            (
                "https://git.example.com/acme/shop",
                "./lib",
                "https://git.example.com/acme/shop/lib",
            ),
            (
                "https://git.example.com/shop",
                ".././lib",
                "https://git.example.com/lib",
            ),
            (
                "ssh://git@git.example.com:2222/acme/shop",
                "../lib",
                "ssh://git@git.example.com:2222/acme/lib",
            ),
            (
                "git@git.example.com:acme/shop",
                "../lib",
                "git@git.example.com:acme/lib",
            ),
            ("git@git.example.com:shop", "../lib", "git@git.example.com:lib"),
            (
                "git@git.example.com:/srv/shop",
                "../lib",
                "git@git.example.com:/srv/lib",
            ),
            ("file:///srv/git/shop", "../lib", "file:///srv/git/lib"),
            (
                "https://git.example.com/acme/shop",
                "https://other.example/lib",
                "https://other.example/lib",
            ),
            (
                "https://git.example.com/acme/shop",
                "git@other.example:lib",
                "git@other.example:lib",
            ),
        ] {
            assert_eq!(resolved(own, text), expected, "{own} {text}");
        }
    }

    #[test]
    fn what_leaves_the_server_or_names_a_program_is_refused() {
        for (own, text) in [
            ("https://git.example.com/shop", "../../lib"),
            ("https://git.example.com/acme/shop", "../../../lib"),
            ("git@git.example.com:shop", "../../lib"),
            ("file:///srv", "../../lib"),
            ("https://git.example.com/acme/shop", "../a/../../b"),
            ("https://git.example.com/acme/shop", "../-oProxyCommand=x y"),
            ("https://git.example.com/acme/shop", "-oProxyCommand=touch"),
            ("https://git.example.com/acme/shop", "ext::sh -c touch% x"),
            ("https://git.example.com/acme/shop", "git://git.example.com/lib"),
            ("https://git.example.com/acme/shop", "http://git.example.com/lib"),
            ("https://git.example.com/acme/shop", "lib"),
            (
                "https://git.example.com/acme/shop",
                "https://user:secret@git.example.com/lib",
            ),
            ("https://git.example.com/acme/shop", "../lib\n"),
            ("https://git.example.com/acme/shop", ""),
        ] {
            assert!(
                resolved(own, text).starts_with('!'),
                "{own} {text}: {}",
                resolved(own, text)
            );
        }
    }
}
