//! Schemas of types that are plain text outside, whatever they are inside. All others derive theirs.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::api::projects::{Gate, PushPattern};
use crate::digest::Digest;
use crate::name::{
    ChannelName, EnvironmentName, HostId, MarkName, MigrationName, PoolName, ProjectName, ReleaseFolder,
    ReleaseLabel, RootPath, TargetName, VariableName, WebhookName,
};
use crate::repository::{CommitId, RepositoryUrl};
use crate::wire::{KeyId, PublicKey};

macro_rules! text {
    ($($type:ident: $rule:expr, $example:literal;)+) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String).description(Some($rule));
                text.examples([$example]).into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )+};
}

text! {
    ProjectName: ProjectName::RULE, "shop";
    EnvironmentName: EnvironmentName::RULE, "production";
    HostId: HostId::RULE, "web-1";
    PoolName: PoolName::RULE, "default";
    ReleaseLabel: ReleaseLabel::RULE, "1.9.1";
    VariableName: VariableName::RULE, "DATABASE_URL";
    MigrationName: MigrationName::RULE, "0001_orders";
    ReleaseFolder: ReleaseFolder::RULE, "000042-3f9c1e20ab12";
    ChannelName: ChannelName::RULE, "ops";
    MarkName: MarkName::RULE, "tested";
    WebhookName: WebhookName::RULE, "github";
    RootPath: RootPath::RULE, "/srv/shop";
    TargetName: "project@environment", "shop@production";
    Digest: "64 lowercase hex digits: SHA-256",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Gate: "previous_live, or mark: and a mark", "mark:tested";
    PushPattern: "a branch, or tag: and a tag; * stands for anything but /, ** for anything", "release/*";
    CommitId: "40 or 64 lowercase hex digits", "3f9c1e20ab123f9c1e20ab123f9c1e20ab123f9c";
    RepositoryUrl: "a git repository over https, ssh, or file where the configuration allows it",
        "https://git.example.org/shop.git";
    PublicKey: "an ed25519 key in base64", "2y0vJ8nB1bYpLwqF0m5o2d7kqkWn3vYtO9uZ1a4c5eE=";
    KeyId: "first 16 bytes of the key's SHA-256 in hex", "3f9c1e20ab123f9c1e20ab123f9c1e20";
}
