//! The store in a bucket of an S3-compatible service. An object is written under its final name, because nothing is seen
//! there before it is complete: a small one by one conditional request, a large one as a multipart upload that is only
//! completed once its content was checked. Copying inside a bucket ends at 5 GiB and is never needed like this.
//!
//! Where two bring the same large object at once the later one replaces the earlier one: by their names they are the
//! same bytes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::multipart::MultipartStore as _;
use object_store::path::Path;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, RetryConfig, WriteMultipart,
};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;

use super::receiving::Receiving;
use super::trouble::{self, Trouble};
use super::uploads::Uploads;
use super::{ArtifactError, Condition, INCOMING, Incoming, remove};
use crate::config::S3Section;

/// Bytes written at once; a service takes 5 MiB at least.
const PART: u64 = 8 << 20;
/// Parts of an object at most.
const PARTS: u64 = 10_000;
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Longest silence of the service.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_mins(1);

/// A bucket and how to reach it.
#[derive(Debug)]
pub(super) struct Bucket {
    section: S3Section,
    prefix: Path,
    objects: AmazonS3,
    /// The same without second tries: whoever looks wants to know now.
    once: AmazonS3,
    uploads: Uploads,
}

impl Bucket {
    pub(super) fn open(section: &S3Section) -> Result<Self, ArtifactError> {
        let failed = ArtifactError::store("opening its bucket");
        let ca = section.ca_file.as_ref().map(fs_err::read).transpose();
        let ca = ca.map_err(|source| ArtifactError::File {
            key: "store.s3.ca_file",
            source,
        })?;
        let builder = builder(section, ca.as_deref())?;
        let retry = |max_retries| RetryConfig {
            max_retries,
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        };
        Ok(Self {
            section: section.clone(),
            prefix: Path::parse(&section.prefix).map_err(|error| failed(error.into()))?,
            objects: builder.clone().with_retry(retry(5)).build().map_err(&failed)?,
            once: builder.with_retry(retry(0)).build().map_err(&failed)?,
            uploads: Uploads::new(ca.as_deref()).map_err(&failed)?,
        })
    }

    pub(super) const fn objects(&self) -> &dyn ObjectStore {
        &self.objects
    }

    pub(super) fn place(&self, kind: ObjectKind, digest: &Digest) -> Path {
        self.prefix.clone().join(kind.as_str()).join(digest.to_string())
    }

    fn incoming(&self) -> Path {
        self.prefix.clone().join(INCOMING)
    }

    pub(super) async fn put<S, E>(
        &self,
        incoming: Incoming,
        mut receiving: Receiving<S>,
    ) -> Result<u64, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::fmt::Display,
    {
        let place = self.place(incoming.kind, &incoming.digest);
        let part = part_bytes(incoming.most);
        let mut first = Vec::new();
        let mut held = 0;
        while held < part {
            let Some(piece) = receiving.next().await? else {
                let bytes = receiving.verify(incoming.digest)?;
                return self.put_at_once(&place, first, bytes).await;
            };
            held += piece.len();
            first.push(piece);
        }
        let failed = ArtifactError::store("beginning an object");
        let upload = self.objects.put_multipart(&place).await.map_err(failed)?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, part);
        for piece in first {
            writer.put(piece);
        }
        let kept = match receiving.pour(&mut writer, incoming.digest).await {
            Ok(bytes) => self.holds(&place, bytes).await.map(|there| (bytes, there)),
            Err(error) => Err(error),
        };
        match kept {
            Ok((bytes, false)) => {
                let ended = writer.finish().await;
                ended.map_err(ArtifactError::store("ending an object"))?;
                Ok(bytes)
            }
            // Somebody else brought it meanwhile, or it is not what it should be. What is left is swept later.
            Ok((bytes, true)) => {
                writer.abort().await.ok();
                Ok(bytes)
            }
            Err(error) => {
                writer.abort().await.ok();
                Err(error)
            }
        }
    }

    /// One request, which the service refuses where the object is there already.
    async fn put_at_once(&self, place: &Path, pieces: Vec<Bytes>, bytes: u64) -> Result<u64, ArtifactError> {
        let payload: PutPayload = pieces.into_iter().collect();
        let failed = ArtifactError::store("writing an object");
        let put = self
            .objects
            .put_opts(place, payload.clone(), PutMode::Create.into())
            .await;
        match put {
            Ok(_) => Ok(bytes),
            Err(object_store::Error::AlreadyExists { .. }) if self.holds(place, bytes).await? => Ok(bytes),
            // It was refused because of another request under way, and that one came to nothing.
            Err(object_store::Error::AlreadyExists { .. }) => {
                let put = self.objects.put(place, payload).await;
                put.map(|_| bytes).map_err(failed)
            }
            Err(source) => Err(failed(source)),
        }
    }

    async fn holds(&self, place: &Path, bytes: u64) -> Result<bool, ArtifactError> {
        match self.objects.head(place).await {
            Ok(meta) => Ok(meta.size == bytes),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(ArtifactError::store("looking for an object")(source)),
        }
    }

    /// Ends uploads that were begun before a moment and never completed, and removes what a proof left; returns how many.
    pub(super) async fn sweep(&self, before: chrono::DateTime<chrono::Utc>) -> object_store::Result<usize> {
        let left = self.uploads.unfinished(&self.objects, &self.prefix, before);
        let left = left.await?;
        for upload in &left {
            match self.objects.abort_multipart(&upload.place, &upload.id).await {
                // Another coordinator was first.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => return Err(source),
            }
        }
        let proofs: Vec<_> = self
            .objects
            .list(Some(&self.incoming()))
            .try_filter(|meta| std::future::ready(meta.last_modified < before))
            .try_collect()
            .await?;
        for meta in &proofs {
            remove(&self.objects, &meta.location).await?;
        }
        Ok(left.len() + proofs.len())
    }

    pub(super) async fn examine(&self) -> Result<Condition, Trouble> {
        // Four names at most stand directly below the prefix.
        let prefix = (self.prefix != Path::default()).then_some(&self.prefix);
        let listed = self.once.list_with_delimiter(prefix).await;
        listed.map_err(|error| trouble::of(&self.section, "list", &error))?;
        Ok(Condition {
            name: self.section.to_string(),
            space: None,
            in_the_clear: self.section.is_in_the_clear(),
        })
    }

    /// Does everything that a coordinator does here, with an object that goes at once.
    pub(super) async fn prove(&self, id: uuid::Uuid) -> Result<(), Trouble> {
        self.examine().await?;
        let trouble = |doing| move |error| trouble::of(&self.section, doing, &error);
        let place = self.incoming().join(id.to_string());
        let put = self.once.put(&place, PutPayload::from_static(b"pointsman")).await;
        put.map_err(trouble("write"))?;
        let read = self.once.get(&place).await;
        read.map_err(trouble("read"))?;
        let deleted = self.once.delete(&place).await;
        deleted.map_err(trouble("delete"))?;
        let uploads = self
            .uploads
            .unfinished(&self.once, &self.prefix, chrono::DateTime::UNIX_EPOCH);
        uploads.await.map(drop).map_err(trouble("list uploads"))
    }
}

fn builder(section: &S3Section, ca: Option<&[u8]>) -> Result<AmazonS3Builder, ArtifactError> {
    // The keys of the section, or the environment's: variables, then what the machine itself is given.
    let mut builder = match (&section.access_key_id, &section.secret_access_key_file) {
        (Some(id), Some(file)) => {
            let secret = fs_err::read_to_string(file).map_err(|source| ArtifactError::File {
                key: "store.s3.secret_access_key_file",
                source,
            })?;
            AmazonS3Builder::new()
                .with_access_key_id(id)
                .with_secret_access_key(secret.trim())
        }
        (None, _) | (_, None) => AmazonS3Builder::from_env(),
    };
    if let Some(endpoint) = &section.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/'));
    }
    let mut options = ClientOptions::new()
        .with_allow_http(section.allow_http)
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE)
        // A large archive takes longer than any limit for the whole of it.
        .with_timeout_disabled();
    for certificate in ca
        .map(object_store::Certificate::from_pem_bundle)
        .transpose()
        .map_err(ArtifactError::store("reading store.s3.ca_file"))?
        .into_iter()
        .flatten()
    {
        options = options
            .with_root_certificate(certificate)
            .with_no_system_certificates(true);
    }
    Ok(builder
        .with_bucket_name(&section.bucket)
        .with_region(&section.region)
        .with_virtual_hosted_style_request(section.virtual_hosted)
        .with_disable_bulk_delete(true)
        .with_allow_http(section.allow_http)
        .with_client_options(options))
}

/// Parts as large as a service's limit of their number asks for.
fn part_bytes(most: u64) -> usize {
    usize::try_from(most.div_ceil(PARTS).max(PART)).unwrap_or(usize::MAX)
}
