//! From joining to a switched link, with live and masked logs on the way.

use pointsman_shared::ids::{Generation, PlacementId};
use pointsman_shared::name::SlotName;
use pointsman_shared::outcome::{Outcome, Product};
use pointsman_shared::wire::FromAgent;
use pointsman_shared::wire::SigningKey;
use pointsman_shared::wire::from_agent::{FenceState, PlacementState, ReportContent};
use pointsman_shared::wire::logs::LogContent;
use pointsman_shared::wire::to_agent::{Adopt, ToAgent};
use serde_json::{Value, json};

use crate::agent::Host;
use crate::jobs::build_of;
use crate::neighbour::{Memory, Neighbour, now};

const PLACEMENT: &str = "0198c0de-0000-7000-8000-00000000abcd";

#[tokio::test(flavor = "multi_thread")]
async fn a_host_joins_only_the_coordinator_that_its_token_names() {
    let host = Host::new(Neighbour::new().await, "");
    let (status, said) = host.join(&Host::token(&SigningKey::from_seed(&[9; 32]))).await;
    assert!(!status.success());
    assert!(
        said.contains("not from the coordinator that made this token"),
        "{said}"
    );
    let (status, said) = host.join("pmj_nonsense").await;
    assert!(!status.success() && said.contains("no join token"), "{said}");

    let (status, said) = host.join(&Host::token(&host.neighbour.key)).await;
    assert!(status.success(), "{said}");
    assert!(
        said.contains("rabbitmqctl add_user host-web-1"),
        "an administrator is told what to do: {said}"
    );
    assert!(!said.contains(crate::http::SECRET), "the token is shown: {said}");
    let (status, said) = host.join(&Host::token(&host.neighbour.key)).await;
    assert!(status.success() && said.contains("joined again"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_becomes_the_live_release() {
    let mut host = Host::joined().await;
    let secret = ("API_KEY".to_owned(), "s3cret-value-42".to_owned());
    host.neighbour.memory().secrets.extend([secret]);
    host.start().await;
    let product = build(&host).await;
    adopt(&host).await;
    install_and_activate(&host, &product).await;
    let live = fs_err::read_to_string(host.path("srv/shop/current/built.txt")).unwrap();
    assert_eq!(live, "built\n");
}

/// Builds a release and looks at its log and its steps.
async fn build(host: &Host) -> Value {
    let neighbour = &host.neighbour;
    let build = build_of(host, &["echo built > built.txt", "echo the key is $API_KEY"]);
    let job = neighbour.offer("build", build).await;
    let Outcome::Succeeded { product } = neighbour.result(job).await else {
        panic!("not built: {:?}", neighbour.memory().results(job));
    };
    let text = neighbour
        .until("the whole log", |memory| {
            Some(log_text(memory)).filter(|text| text.contains("the key is"))
        })
        .await;
    assert!(text.contains("the key is ***"), "{text}");
    assert!(!text.contains("s3cret-value-42"), "{text}");
    assert_eq!(
        steps(&neighbour.memory()),
        [
            "checkout",
            "echo built > built.txt",
            "echo the key is $API_KEY",
            "pack",
            "upload"
        ]
    );
    serde_json::to_value(product).unwrap()
}

async fn install_and_activate(host: &Host, release: &Value) {
    let neighbour = &host.neighbour;
    let root = host.root();
    let manifest = release["manifest"].as_str().unwrap();
    let folder = format!("000042-{}", manifest.get(..12).unwrap());
    let install = |body: &mut Value| {
        let order = &mut body["order"];
        for name in [
            "manifest",
            "archive",
            "packing",
            "archive_bytes",
            "total_bytes",
            "entries",
        ] {
            order[name] = release[name].clone();
        }
        order["placement"] = PLACEMENT.into();
        order["root"] = root.as_str().into();
        order["folder"] = folder.as_str().into();
        order["shared"] = json!([]);
    };
    let installed = neighbour.offer("install", install).await;
    let product = Product::Installed { reused: false };
    assert_eq!(neighbour.result(installed).await, Outcome::Succeeded { product });

    let activate = |body: &mut Value| {
        let order = &mut body["order"];
        order["placement"] = PLACEMENT.into();
        order["root"] = root.as_str().into();
        order["folder"] = folder.as_str().into();
        order["manifest"] = manifest.into();
        order["generation"] = 8.into();
        order["hooks"] = json!({ "before": [], "after": [], "timeout_s": 10 });
        order["health"] = Value::Null;
    };
    let activated = neighbour.offer("activate", activate).await;
    let switched = neighbour.result(activated).await;
    let current = folder.parse().unwrap();
    let product = Product::Switched { from: None, current };
    assert_eq!(switched, Outcome::Succeeded { product });
}

/// A new placement is closed until it is adopted; the next hello shows the fence.
async fn adopt(host: &Host) {
    let neighbour = &host.neighbour;
    let adopt = Adopt {
        v: 1,
        host: "web-1".parse().unwrap(),
        instance: neighbour.instance().await,
        placement: PLACEMENT.parse().unwrap(),
        root: host.root().parse().unwrap(),
        slots: vec![SlotName::current()],
        generation: Generation(7),
        answers: None,
        serial: 1,
        expires_at: now() + 60_000,
    };
    neighbour.say(&ToAgent::Adopt(adopt)).await;
    let state = neighbour
        .until("the fence", |memory| fence(memory, PLACEMENT.parse().unwrap()))
        .await;
    assert_eq!(state, Generation(7));
}

fn fence(memory: &Memory, wanted: PlacementId) -> Option<Generation> {
    memory.heard.iter().find_map(|message| match message {
        FromAgent::PlacementState(PlacementState { placement, slots, .. }) if *placement == wanted => {
            slots.iter().find_map(|slot| match &slot.fence {
                FenceState::Standing { generation, .. } => Some(*generation),
                FenceState::Missing | FenceState::Damaged => None,
            })
        }
        _ => None,
    })
}

fn log_text(memory: &Memory) -> String {
    let mut text = String::new();
    for chunk in &memory.chunks {
        if let LogContent::Lines(lines) = &chunk.content {
            for line in lines {
                text.push_str(&line.text);
                text.push('\n');
            }
        }
    }
    text
}

fn steps(memory: &Memory) -> Vec<String> {
    let step = |report: pointsman_shared::wire::from_agent::Report| match report.content {
        ReportContent::StepFinished(step) if step.ok => Some(step.step),
        _ => None,
    };
    memory.reports().into_iter().filter_map(step).collect()
}
