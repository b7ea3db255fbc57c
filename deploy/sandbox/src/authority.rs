//! A CA of a sandbox's own, and the certificates it issues: what an operator's private CA does for a real fleet.
//!
//! Its key lives in memory only. Nothing outside the sandbox ever trusts it.

use std::fmt;
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use crate::error::{Error, Result};
use crate::place::Place;

/// A certificate authority.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority(...)")
    }
}

/// A server's certificate with its key, both PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Issued(...)")
    }
}

impl Authority {
    /// A new CA.
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new()).map_err(|error| unusable(&error))?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "CA of a Pointsman sandbox");
        let key = KeyPair::generate().map_err(|error| unusable(&error))?;
        CertifiedIssuer::self_signed(params, key)
            .map(Self)
            .map_err(|error| unusable(&error))
    }

    /// Its own certificate, PEM: what others must trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a server with these names and addresses.
    pub fn issue(&self, names: &[&str]) -> Result<Issued> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).map_err(|error| unusable(&error))?;
        params.distinguished_name.push(DnType::CommonName, "a sandbox");
        let key = KeyPair::generate().map_err(|error| unusable(&error))?;
        let certificate = params
            .signed_by(&key, &self.0)
            .map_err(|error| unusable(&error))?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn unusable(error: &rcgen::Error) -> Error {
    Error::Unexpected(format!("a certificate cannot be made: {error}"))
}

/// What servers and clients of one sandbox need to speak TLS with each other.
#[derive(Debug, Clone)]
pub struct Tls {
    /// The CA's certificate, PEM.
    pub ca: String,
    /// File of the CA's certificate.
    pub ca_file: PathBuf,
    /// File of the certificate that every server of the sandbox shows: for `127.0.0.1` and `localhost`.
    pub certificate: PathBuf,
    /// File of its private key.
    pub key: PathBuf,
}

impl Tls {
    /// Makes CA and certificate in the folder `tls` of a place.
    pub fn prepare(place: &Place) -> Result<Self> {
        let authority = Authority::new()?;
        let issued = authority.issue(&["127.0.0.1", "localhost"])?;
        place.folder("tls")?;
        let ca = authority.pem();
        Ok(Self {
            ca_file: place.write("tls/ca.pem", ca.as_bytes(), 0o644)?,
            certificate: place.write("tls/server.pem", issued.certificate.as_bytes(), 0o644)?,
            key: place.write("tls/server.key", issued.key.as_bytes(), 0o600)?,
            ca,
        })
    }
}
