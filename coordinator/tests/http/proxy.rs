//! The coordinator behind the nginx configuration that is shipped: people, agents and readers of events come through TLS.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use reqwest::Method;

use crate::agents::Agent;
use crate::objects::{large, send};
use crate::orders::{build, install};
use crate::stream::{Reader, happen};
use crate::world::World;

const SHIPPED: &str = include_str!("../../../deploy/nginx/coordinator.conf");

struct Nginx(Child);

impl Nginx {
    /// Puts nginx in front of a world, which is reached through it from then on.
    async fn before(world: &mut World) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let behind = world
            .url
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .to_owned();
        let folder = world.folder.path().join("nginx");
        fs_err::create_dir(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs_err::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
        fs_err::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let site = SHIPPED
            .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port} ssl;"))
            .replace("127.0.0.1:8080", &behind)
            .replace("/etc/ssl/certs/deploy.example.org.pem", "cert.pem")
            .replace("/etc/ssl/private/deploy.example.org.key", "key.pem");
        fs_err::write(folder.join("site.conf"), site).unwrap();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        let main = format!(
            "daemon off;\nmaster_process off;\npid pid;\nerror_log error.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}include site.conf;\n}}\n"
        );
        fs_err::write(folder.join("nginx.conf"), main).unwrap();
        let process = Command::new("/usr/sbin/nginx")
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx: {error}; deploy/install-packages installs it"));
        let mut nginx = Self(process);
        world.url = format!("https://127.0.0.1:{port}/");
        while world.anonymous().at(Method::GET, "healthz").send().await.is_err() {
            let ended = nginx.0.try_wait().unwrap();
            let log = fs_err::read_to_string(folder.join("error.log")).unwrap_or_default();
            assert!(ended.is_none(), "nginx ended: {ended:?}\n{log}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn events_flow_archives_pass_and_signatures_hold_behind_nginx() {
    let mut world = World::new().await;
    let _nginx = Nginx::before(&mut world).await;
    let viewer = world.person("viewer").await;
    let mut reader = Reader::open(&viewer, "", None).await;
    for kind in ["first", "second"] {
        // One at a time: an event that a proxy holds back would come with the next one.
        happen(&world, kind).await;
        assert_eq!(reader.kinds(1).await, [kind]);
    }

    world.set_up_shop().await;
    let archive = large();
    let builder = Agent::member(&world, "builder", &[], &["default"]).await;
    let building = builder.runs(&world, build(&world).await).await;
    let stored = send(&world, &builder, building, ObjectKind::Archive, &archive).await;
    stored.expect(201);
    let web = Agent::member(&world, "web-1", &[("role", "web")], &[]).await;
    let installing = web.runs(&world, install(&world, "web-1", &archive).await).await;
    let path = ObjectKind::Archive.path(&Digest::of(&archive));
    let fetched = web.signed(&world, installing, &Method::GET, &path, Digest::of(b""));
    assert!(fetched.send().await.unwrap().bytes().await.unwrap() == archive);
}
