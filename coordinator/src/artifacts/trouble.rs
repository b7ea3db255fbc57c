//! What is wrong with a bucket, in words, and what to do: services answer with codes, and a connection that fails has its
//! cause at the end of a chain.

use std::error::Error;

use crate::config::S3Section;

/// Why a store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("artifact store {store}: {wrong}")]
pub struct Trouble {
    /// The store as its operator knows it.
    pub store: String,
    /// What is wrong.
    pub wrong: String,
    /// What to do.
    pub cure: String,
}

/// Whether an object was not found because its bucket was not.
pub(super) fn is_missing_bucket(error: &(dyn Error + 'static)) -> bool {
    code(&error.to_string()) == Some("NoSuchBucket")
}

/// What is wrong with a bucket that could not be asked to do something, such as `list`.
pub(super) fn of(section: &S3Section, doing: &str, error: &object_store::Error) -> Trouble {
    let (wrong, cure) = words(section, doing, error);
    Trouble {
        store: section.to_string(),
        wrong,
        cure,
    }
}

fn words(section: &S3Section, doing: &str, error: &object_store::Error) -> (String, String) {
    let text = error.to_string();
    let key = section
        .access_key_id
        .as_deref()
        .unwrap_or("that the environment names");
    let said = |wrong: String, cure: &str| (wrong, cure.to_owned());
    match code(&text) {
        Some("NoSuchBucket") => said(
            format!("there is no bucket {}", section.bucket),
            "make the bucket, or correct store.s3.bucket",
        ),
        Some("InvalidAccessKeyId") => said(
            format!("the service does not know the access key {key}"),
            "correct store.s3.access_key_id",
        ),
        Some("SignatureDoesNotMatch") => said(
            format!("the secret does not belong to the access key {key}"),
            "correct the file that store.s3.secret_access_key_file names",
        ),
        Some("AccessDenied" | "AllAccessDisabled") => {
            said(format!("the access key {key} may not {doing}"), RIGHTS)
        }
        Some("RequestTimeTooSkewed") => said(
            "the clocks of this machine and of the service differ".to_owned(),
            "keep this machine's clock with NTP",
        ),
        Some(
            "PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "IncorrectEndpoint",
        ) => region(section),
        Some(other) => said(
            format!("the service answers {other} to {doing}"),
            "look up this code in the service's documentation",
        ),
        None => without_code(section, doing, error, &text),
    }
}

fn without_code(
    section: &S3Section,
    doing: &str,
    error: &object_store::Error,
    text: &str,
) -> (String, String) {
    if text.contains("incorrectly configured region") {
        return region(section);
    }
    if text.contains("169.254.") {
        return (
            "no access key is configured, and this machine is given none".to_owned(),
            "set store.s3.access_key_id and store.s3.secret_access_key_file, or AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        );
    }
    if matches!(
        error,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
    ) {
        return (
            format!("the service refuses the access key when asked to {doing}"),
            RIGHTS.to_owned(),
        );
    }
    if matches!(error, object_store::Error::NotFound { .. }) {
        return (
            format!("there is no bucket {}", section.bucket),
            "make the bucket, or correct store.s3.bucket".to_owned(),
        );
    }
    (
        format!("it cannot be reached: {}", innermost(error)),
        "check store.s3.endpoint, store.s3.ca_file and that the service runs".to_owned(),
    )
}

const RIGHTS: &str = "let the key list the bucket, read, write and delete its objects, and list and abort its multipart \
                      uploads";

fn region(section: &S3Section) -> (String, String) {
    (
        format!("the bucket is not of the region {}", section.region),
        "correct store.s3.region".to_owned(),
    )
}

/// The code of an answer in XML.
fn code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code)
}

/// The end of a chain of causes says what happened; all before says where.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
