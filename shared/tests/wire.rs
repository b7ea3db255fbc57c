//! Every message is pinned: the fixtures in `tests/wire/v1` are what agents and coordinators of version 1 exchange, those
//! in `v2` the bodies of jobs that ask for more.
//!
//! Fixtures are only ever added. A test that fails here means that an old agent could not read a new coordinator, or
//! the other way round: make a new version instead. A new message gets its file by running
//! `POINTSMAN_ADD_FIXTURES=1 cargo test -p pointsman-shared --test wire`, which never changes a file that exists.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod samples;

use std::path::PathBuf;

use pointsman_shared::wire::envelope::Message;
use pointsman_shared::wire::{
    Envelope, EnvelopeError, FromAgent, JobBody, KeySet, LogChunk, MAX_ENVELOPE, Role, SigningKey, ToAgent,
    VerifyError,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn fixture(version: u16, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/wire/v{version}"))
        .join(format!("{name}.json"))
}

/// The sample serializes to exactly the fixture's text, and the fixture's text parses to exactly the sample.
fn assert_pinned<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(
    version: u16,
    name: &str,
    sample: &T,
) {
    let path = fixture(version, name);
    let text = serde_json::to_string_pretty(sample).unwrap() + "\n";
    #[expect(clippy::disallowed_methods, reason = "the one switch of this test")]
    if !path.exists() && std::env::var("POINTSMAN_ADD_FIXTURES").is_ok() {
        write_fixture(&path, &text);
    }
    #[expect(clippy::disallowed_methods, reason = "the panic names the path")]
    let pinned = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, pinned, "{name} no longer serializes as pinned");
    assert_eq!(
        &serde_json::from_str::<T>(&pinned).unwrap(),
        sample,
        "{name} no longer parses as pinned"
    );
}

#[expect(clippy::disallowed_methods, reason = "the panic names the path")]
fn write_fixture(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

#[test]
fn messages_to_agents_are_pinned() {
    for (name, message) in samples::to_agent() {
        assert_pinned(1, name, &message);
    }
}

#[test]
fn messages_from_agents_are_pinned() {
    for (name, message) in samples::from_agent() {
        assert_pinned(1, name, &message);
    }
}

#[test]
fn job_bodies_are_pinned() {
    for (name, body) in samples::bodies() {
        assert_eq!(
            body.v,
            body.order.version(),
            "{name} says more or less than it must"
        );
        assert_pinned(body.v, name, &body);
    }
}

#[test]
fn log_chunks_are_pinned() {
    for (name, chunk) in samples::log_chunks() {
        assert_pinned(1, name, &chunk);
    }
}

#[test]
fn no_fixture_is_without_a_sample() {
    let known: Vec<&str> = samples::to_agent()
        .iter()
        .map(|(name, _)| *name)
        .chain(samples::from_agent().iter().map(|(name, _)| *name))
        .chain(samples::bodies().iter().map(|(name, _)| *name))
        .chain(samples::log_chunks().iter().map(|(name, _)| *name))
        .collect();
    let files = [1, 2].map(|version| fixture(version, "x").parent().unwrap().read_dir().unwrap());
    for entry in files.into_iter().flatten() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name.trim_end_matches(".json")),
            "{name} is read by no test"
        );
    }
}

#[test]
fn unknown_fields_are_refused() {
    for (name, message) in samples::to_agent() {
        assert_refuses_extra_field::<ToAgent>(name, &message);
    }
    for (name, message) in samples::from_agent() {
        assert_refuses_extra_field::<FromAgent>(name, &message);
    }
    for (name, body) in samples::bodies() {
        assert_refuses_extra_field::<JobBody>(name, &body);
    }
}

fn assert_refuses_extra_field<T: Serialize + DeserializeOwned>(name: &str, sample: &T) {
    let mut value = serde_json::to_value(sample).unwrap();
    value
        .as_object_mut()
        .unwrap()
        .insert("surprise".to_owned(), serde_json::json!(1));
    assert!(
        serde_json::from_value::<T>(value).is_err(),
        "{name} accepted an unknown field"
    );
}

fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32])
}

#[test]
fn a_sealed_message_verifies_with_its_key_only() {
    let (_, message) = samples::to_agent().remove(0);
    let envelope = key(1).sign_to_agent(&message);
    let read = Envelope::from_bytes(&envelope.to_bytes()).unwrap();
    let trusted = KeySet::of(Role::Coordinator, key(1).public());
    assert_eq!(read.verify::<ToAgent>(&trusted).unwrap().get(), &message);

    let stranger = KeySet::of(Role::Coordinator, key(2).public());
    assert!(matches!(
        read.verify::<ToAgent>(&stranger),
        Err(VerifyError::UnknownKey(_))
    ));
    let wrong_role = KeySet::of(Role::Agent, key(1).public());
    assert!(matches!(
        read.verify::<ToAgent>(&wrong_role),
        Err(VerifyError::UnknownKey(_))
    ));
    assert!(matches!(
        read.verify::<FromAgent>(&trusted),
        Err(VerifyError::WrongType { .. })
    ));
}

#[test]
fn every_flipped_bit_of_an_envelope_is_refused() {
    let (_, message) = samples::to_agent().remove(0);
    let bytes = key(1).sign_to_agent(&message).to_bytes();
    let trusted = KeySet::of(Role::Coordinator, key(1).public());
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[index] ^= 1 << bit;
            let accepted =
                Envelope::from_bytes(&flipped).is_ok_and(|e| e.verify::<ToAgent>(&trusted).is_ok());
            assert!(!accepted, "byte {index}, bit {bit}");
        }
    }
}

#[test]
fn an_agents_signature_is_not_a_coordinators() {
    let (_, message) = samples::from_agent().remove(0);
    let envelope = key(1).sign_from_agent(&message);
    let both = KeySet::of(Role::Coordinator, key(1).public());
    assert!(envelope.verify::<FromAgent>(&both).is_err());
    assert_ne!(ToAgent::PAYLOAD_TYPE, FromAgent::PAYLOAD_TYPE);
    assert_ne!(FromAgent::PAYLOAD_TYPE, LogChunk::PAYLOAD_TYPE);
}

#[test]
fn oversized_and_malformed_envelopes_are_refused() {
    assert!(matches!(
        Envelope::from_bytes(&vec![b' '; MAX_ENVELOPE + 1]),
        Err(EnvelopeError::TooLarge { bytes }) if bytes == MAX_ENVELOPE + 1
    ));
    for text in ["", "{}", "[]", "null", "{\"payloadType\":1}", "\u{0}"] {
        assert!(
            matches!(
                Envelope::from_bytes(text.as_bytes()),
                Err(EnvelopeError::Malformed(_))
            ),
            "{text:?}"
        );
    }
}

#[test]
fn two_signatures_or_none_are_refused() {
    let (_, message) = samples::to_agent().remove(0);
    let trusted = KeySet::of(Role::Coordinator, key(1).public());
    let mut value = serde_json::to_value(key(1).sign_to_agent(&message)).unwrap();
    let signature = value["signatures"][0].clone();
    for signatures in [serde_json::json!([]), serde_json::json!([signature, signature])] {
        value["signatures"] = signatures;
        let envelope: Envelope = serde_json::from_value(value.clone()).unwrap();
        assert!(matches!(
            envelope.verify::<ToAgent>(&trusted),
            Err(VerifyError::SignatureCount(_))
        ));
    }
}
