//! Where artifacts are kept: a local folder, or a bucket of an S3-compatible service; never both.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

/// The artifact store.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct StoreSection {
    /// Where it is.
    pub place: StorePlace,
    /// Largest archive that is taken, in bytes.
    pub max_archive_bytes: u64,
}

/// Where artifacts are kept.
#[derive(Debug, Clone)]
pub enum StorePlace {
    /// `store.directory`: a local directory; shared by all coordinators.
    Directory(PathBuf),
    /// `[store.s3]`
    S3(Box<S3Section>),
}

/// A bucket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Section {
    /// Its name; it exists already.
    pub bucket: String,
    /// Its region; most services other than Amazon's take any.
    #[serde(default = "first_region")]
    pub region: String,
    /// The service; Amazon's when absent.
    #[serde(default)]
    pub endpoint: Option<Url>,
    /// What stands before the name of every object, such as `pointsman`.
    #[serde(default)]
    pub prefix: String,
    /// The access key; the environment's (`AWS_ACCESS_KEY_ID` and what Amazon gives its machines) when absent.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// A file that holds its secret.
    #[serde(default)]
    pub secret_access_key_file: Option<PathBuf>,
    /// Whether the bucket stands in the host's name instead of the path.
    #[serde(default)]
    pub virtual_hosted: bool,
    /// Whether plain HTTP is spoken; for a service on this machine.
    #[serde(default)]
    pub allow_http: bool,
    /// Certificates of the CAs to trust instead of the system's, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

/// As it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    directory: Option<PathBuf>,
    #[serde(default)]
    s3: Option<S3Section>,
    #[serde(default = "eight_gibibytes")]
    max_archive_bytes: u64,
}

impl TryFrom<Written> for StoreSection {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let place = match (written.directory, written.s3) {
            (Some(directory), None) => StorePlace::Directory(directory),
            (None, Some(s3)) => StorePlace::S3(Box::new(s3.check()?)),
            (None, None) => return Err("store: set store.directory or [store.s3]".to_owned()),
            (Some(_), Some(_)) => {
                return Err(
                    "store: store.directory and [store.s3] are both set; artifacts are kept in one place"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            place,
            max_archive_bytes: written.max_archive_bytes,
        })
    }
}

impl S3Section {
    fn check(self) -> Result<Self, String> {
        if self.access_key_id.is_some() != self.secret_access_key_file.is_some() {
            return Err(
                "store.s3: set access_key_id and secret_access_key_file together, or neither".to_owned(),
            );
        }
        let plain = |endpoint: &Url| endpoint.scheme() != "https";
        if !self.allow_http && self.endpoint.as_ref().is_some_and(plain) {
            return Err(
                "store.s3.endpoint: it is not https://; on this machine store.s3.allow_http = true allows it"
                    .to_owned(),
            );
        }
        Ok(self)
    }

    /// Whether objects travel over a network unencrypted.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|endpoint| {
            let here = match endpoint.host() {
                Some(url::Host::Ipv4(address)) => address.is_loopback(),
                Some(url::Host::Ipv6(address)) => address.is_loopback(),
                Some(url::Host::Domain(name)) => name == "localhost",
                None => false,
            };
            endpoint.scheme() == "http" && !here
        })
    }
}

impl std::fmt::Display for S3Section {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bucket {}", self.bucket)?;
        match &self.endpoint {
            Some(endpoint) => write!(f, " at {}", endpoint.as_str().trim_end_matches('/')),
            None => write!(f, " in {}", self.region),
        }
    }
}

fn first_region() -> String {
    "us-east-1".to_owned()
}

const fn eight_gibibytes() -> u64 {
    8 << 30
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<StoreSection, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn artifacts_are_kept_in_one_place() {
        let folder = read("directory = '/var/store'").unwrap();
        assert!(matches!(folder.place, StorePlace::Directory(_)));
        assert_eq!(folder.max_archive_bytes, 8 << 30);
        for (text, words) in [
            ("", "set store.directory or [store.s3]"),
            ("directory = '/a'\ns3.bucket = 'b'", "kept in one place"),
            (
                "s3 = { bucket = 'b', access_key_id = 'a' }",
                "together, or neither",
            ),
            (
                "s3 = { bucket = 'b', endpoint = 'http://minio:9000' }",
                "allow_http",
            ),
            ("s3 = { bucket = 'b', secret_access_key = 'a' }", "unknown field"),
            ("s3 = { region = 'b' }", "missing field `bucket`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn plain_http_is_named_off_this_machine_only() {
        for (endpoint, clear) in [
            ("http://127.0.0.1:9000", false),
            ("http://localhost:9000", false),
            ("http://[::1]:9000", false),
            ("https://minio.example.org", false),
            ("http://minio.example.org", true),
        ] {
            let text = format!("s3 = {{ bucket = 'b', endpoint = '{endpoint}', allow_http = true }}");
            let StorePlace::S3(s3) = read(&text).unwrap().place else {
                panic!("{text}")
            };
            assert_eq!(s3.is_in_the_clear(), clear, "{endpoint}");
        }
    }
}
