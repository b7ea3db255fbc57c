//! Whom the agent believes to be its coordinator and its broker: real handshakes with good and bad certificates.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::broker::{BrokerAddress, Caller};
use crate::config::CoordinatorSection;
use crate::describe::describe;
use crate::http::Coordinator;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// A CA; all of them bear the same name.
fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "ours");
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Answers every connection with a certificate of this CA; over TLS and, to those who ask, over HTTP.
fn serve(authority: &Authority, names: &[&str], until: (i32, u8)) -> SocketAddr {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until.0, until.1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok_and(|_| head.starts_with(b"GET")) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                stream.write_all(answer).and_then(|()| stream.flush()).ok();
            }
        }
    });
    address
}

/// A host whose configuration names a CA's certificate, or none.
struct Host {
    folder: tempfile::TempDir,
    ca_file: Option<PathBuf>,
}

impl Host {
    fn trusting(pem: &str) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs_err::write(&file, pem).unwrap();
        Self {
            folder,
            ca_file: Some(file),
        }
    }

    fn trusting_the_system() -> Self {
        Self {
            ca_file: None,
            ..Self::trusting("")
        }
    }

    async fn asks(&self, url: &str) -> Result<String, String> {
        let section = CoordinatorSection {
            url: url.parse().unwrap(),
            ca_file: self.ca_file.clone(),
            insecure: false,
        };
        let coordinator = Coordinator::new(&section).map_err(|error| describe(&error))?;
        let request = coordinator.client().get(coordinator.at("/"));
        let answer = coordinator
            .send(request)
            .await
            .map_err(|error| describe(&error))?;
        Ok(answer.text().await.unwrap())
    }

    async fn knocks(&self, broker: &str) -> String {
        match BrokerAddress::new(broker, self.ca_file.as_deref(), Caller("test")) {
            Ok(address) => describe(&address.knock().await.unwrap_err()),
            Err(error) => describe(&error),
        }
    }
}

/// What the agent says of a coordinator and of a broker with such a certificate.
async fn refusals(host: &Host, address: SocketAddr) -> [String; 2] {
    let asked = host.asks(&format!("https://{address}/")).await.unwrap_err();
    [asked, host.knocks(&format!("amqps://u:p@{address}/v")).await]
}

#[tokio::test]
async fn the_configured_ca_is_trusted_and_no_other() {
    let ours = authority();
    let address = serve(&ours, &["127.0.0.1"], (2100, 1));
    let host = Host::trusting(&ours.pem());
    assert_eq!(
        host.asks(&format!("https://{address}/")).await.as_deref(),
        Ok("ok")
    );
    // What comes after the handshake is no AMQP.
    let knocked = host.knocks(&format!("amqps://u:p@{address}/v")).await;
    assert!(!knocked.contains("certificate"), "{knocked}");

    for stranger in [Host::trusting_the_system(), Host::trusting(&authority().pem())] {
        let [asked, knocked] = refusals(&stranger, address).await;
        let todo = "of no CA that is trusted here: name the file of its CA (PEM) in";
        assert!(asked.contains(&format!("{todo} coordinator.ca_file")), "{asked}");
        assert!(knocked.contains(&format!("{todo} broker.ca_file")), "{knocked}");
    }
}

#[tokio::test]
async fn bad_certificates_are_refused_in_words() {
    let ours = authority();
    let host = Host::trusting(&ours.pem());
    for (address, words) in [
        (serve(&ours, &["127.0.0.1"], (2021, 1)), "has expired: renew it"),
        (
            serve(&ours, &["deploy.example.org"], (2100, 1)),
            "is for other names",
        ),
    ] {
        for said in refusals(&host, address).await {
            assert!(said.contains(words), "{said}");
        }
    }
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in plain.incoming() {
            stream.unwrap().write_all(b"AMQP\0\0\x09\x01").ok();
        }
    });
    for said in refusals(&host, address).await {
        assert!(said.contains("does not speak TLS"), "{said}");
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_named() {
    let host = Host::trusting("not a certificate\n");
    let file = host.folder.path().join("ca.pem").display().to_string();
    let asked = host.asks("https://127.0.0.1:9/").await.unwrap_err();
    assert!(
        asked.contains("coordinator.ca_file") && asked.contains(&file),
        "{asked}"
    );
    let knocked = host.knocks("amqps://u:p@127.0.0.1:9/v").await;
    assert!(
        knocked.contains("broker.ca_file") && knocked.contains(&file),
        "{knocked}"
    );
}
