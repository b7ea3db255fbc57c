//! The artifact store: objects named by their content, written once, believed only for their digest.
//!
//! An object comes in under a name of its own, is checked, and then takes its place by a rename that never overwrites.
//! It refuses to know who may do that; [`crate::operations::store_object`] does.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, GetResultPayload, ObjectStore, ObjectStoreExt as _, WriteMultipart,
};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncSeekExt as _;
use tokio_util::io::ReaderStream;

/// Where objects stand until they are checked.
const INCOMING: &str = "incoming";
/// Bytes written at once.
const PART: usize = 1 << 20;
/// Bytes read at once.
const PIECE: usize = 256 << 10;
/// Parts written at the same time.
const AT_ONCE: usize = 4;
/// Longest silence of a sender.
const SILENCE: Duration = Duration::from_mins(1);

/// Why an object was not taken or given.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// The sender broke off or fell silent.
    #[error("the object broke off after {bytes} bytes: {why}")]
    BrokenOff {
        /// Bytes that came.
        bytes: u64,
        /// Why.
        why: String,
    },
    /// It is larger than its kind may be.
    #[error("the object is larger than the {most} bytes that are taken")]
    TooLarge {
        /// What is taken at most.
        most: u64,
    },
    /// Its content is not what its name says.
    #[error("the object is {found}, not {wanted}")]
    OtherContent {
        /// Digest of what came.
        found: Digest,
        /// Digest of what was announced.
        wanted: Digest,
    },
    /// The store failed.
    #[error("the artifact store failed while {what}")]
    Store {
        /// What was being done.
        what: &'static str,
        /// The cause.
        #[source]
        source: object_store::Error,
    },
}

impl ArtifactError {
    fn store(what: &'static str) -> impl Fn(object_store::Error) -> Self {
        move |source| Self::Store { what, source }
    }
}

/// Opens the store in a local folder; what it says is written is on the disk.
pub fn open(directory: &FilePath) -> Result<Arc<dyn ObjectStore>, ArtifactError> {
    let opened = fs_err::create_dir_all(directory)
        .map_err(|source| object_store::Error::Generic {
            store: "directory",
            source: source.into(),
        })
        .and_then(|()| LocalFileSystem::new_with_prefix(directory))
        .map_err(ArtifactError::store("opening its folder"))?;
    Ok(Arc::new(opened.with_fsync(true)))
}

fn place(kind: ObjectKind, digest: &Digest) -> Path {
    Path::from_iter([kind.as_str(), &digest.to_string()])
}

/// Size of an object in bytes, when it is there.
pub async fn size(
    objects: &dyn ObjectStore,
    kind: ObjectKind,
    digest: &Digest,
) -> Result<Option<u64>, ArtifactError> {
    match objects.head(&place(kind, digest)).await {
        Ok(meta) => Ok(Some(meta.size)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(source) => Err(ArtifactError::store("looking for an object")(source)),
    }
}

/// What is being stored.
#[derive(Debug, Clone, Copy)]
pub struct Incoming {
    /// Its kind.
    pub kind: ObjectKind,
    /// What its content must be.
    pub digest: Digest,
    /// Its size at most, in bytes.
    pub most: u64,
    /// A name that nothing else in the store has.
    pub id: uuid::Uuid,
}

/// Takes an object in; returns its size.
pub async fn put<S, E>(
    objects: &dyn ObjectStore,
    incoming: Incoming,
    content: S,
) -> Result<u64, ArtifactError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: std::fmt::Display,
{
    let temporary = Path::from_iter([INCOMING, &incoming.id.to_string()]);
    let upload = objects
        .put_multipart(&temporary)
        .await
        .map_err(ArtifactError::store("beginning an object"))?;
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
    let (bytes, found) = match receive(&mut writer, incoming.most, content).await {
        Ok(received) => received,
        Err(error) => {
            // What is left is swept later; the sender's error is the one to tell.
            writer.abort().await.ok();
            return Err(error);
        }
    };
    if found != incoming.digest {
        writer.abort().await.ok();
        return Err(ArtifactError::OtherContent {
            found,
            wanted: incoming.digest,
        });
    }
    writer
        .finish()
        .await
        .map_err(ArtifactError::store("ending an object"))?;
    let place = place(incoming.kind, &incoming.digest);
    match objects.rename_if_not_exists(&temporary, &place).await {
        Ok(()) => Ok(bytes),
        // Somebody else brought the same bytes meanwhile.
        Err(object_store::Error::AlreadyExists { .. }) => {
            objects.delete(&temporary).await.ok();
            Ok(bytes)
        }
        Err(source) => Err(ArtifactError::store("naming an object")(source)),
    }
}

async fn receive<S, E>(
    writer: &mut WriteMultipart,
    most: u64,
    mut content: S,
) -> Result<(u64, Digest), ArtifactError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: std::fmt::Display,
{
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let broken = |bytes, why: String| ArtifactError::BrokenOff { bytes, why };
    while let Some(piece) = tokio::time::timeout(SILENCE, content.next())
        .await
        .map_err(|_| broken(bytes, format!("nothing came for {} s", SILENCE.as_secs())))?
    {
        let piece = piece.map_err(|error| broken(bytes, error.to_string()))?;
        bytes += piece.len() as u64;
        if bytes > most {
            return Err(ArtifactError::TooLarge { most });
        }
        hasher.update(&piece);
        writer
            .wait_for_capacity(AT_ONCE)
            .await
            .map_err(ArtifactError::store("writing an object"))?;
        writer.put(piece);
    }
    Ok((bytes, Digest::from_bytes(hasher.finalize().into())))
}

/// An object on its way out.
#[derive(Debug)]
pub struct Outgoing {
    /// Size of the whole object in bytes.
    pub size: u64,
    /// Which bytes of it these are.
    pub range: std::ops::Range<u64>,
    /// The bytes.
    pub body: Body,
}

/// Gives an object out, from byte `offset` on; none when it is not there.
pub async fn get(
    objects: &dyn ObjectStore,
    kind: ObjectKind,
    digest: &Digest,
    offset: u64,
) -> Result<Option<Outgoing>, ArtifactError> {
    let options = GetOptions {
        range: (offset > 0).then_some(GetRange::Offset(offset)),
        ..GetOptions::default()
    };
    let found = match objects.get_opts(&place(kind, digest), options).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(source) => return Err(ArtifactError::store("reading an object")(source)),
    };
    let (size, range) = (found.meta.size, found.range.clone());
    let body = match found.payload {
        // Larger pieces than the store's own stream makes.
        GetResultPayload::File(file, _) => {
            let mut file = tokio::fs::File::from_std(file);
            file.seek(std::io::SeekFrom::Start(range.start))
                .await
                .map_err(|source| object_store::Error::Generic {
                    store: "directory",
                    source: source.into(),
                })
                .map_err(ArtifactError::store("reading an object"))?;
            Body::from_stream(ReaderStream::with_capacity(file, PIECE))
        }
        GetResultPayload::Stream(stream) => Body::from_stream(stream),
    };
    Ok(Some(Outgoing { size, range, body }))
}

/// The bytes of a small object; none when it is not there.
pub async fn read(
    objects: &dyn ObjectStore,
    kind: ObjectKind,
    digest: &Digest,
) -> Result<Option<Bytes>, ArtifactError> {
    let failed = ArtifactError::store("reading an object");
    match objects.get(&place(kind, digest)).await {
        Ok(found) => found.bytes().await.map(Some).map_err(failed),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(source) => Err(failed(source)),
    }
}

/// Removes an object; one that is not there is as good as removed.
pub async fn delete(
    objects: &dyn ObjectStore,
    kind: ObjectKind,
    digest: &Digest,
) -> Result<(), ArtifactError> {
    match objects.delete(&place(kind, digest)).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(source) => Err(ArtifactError::store("deleting an object")(source)),
    }
}

/// Removes what came in and was never checked, when it is older than `before`; returns how much it was.
pub async fn sweep(
    objects: &dyn ObjectStore,
    before: chrono::DateTime<chrono::Utc>,
) -> Result<usize, ArtifactError> {
    let failed = ArtifactError::store("sweeping");
    let left: Vec<_> = objects
        .list(Some(&Path::from(INCOMING)))
        .try_filter(|meta| std::future::ready(meta.last_modified < before))
        .try_collect()
        .await
        .map_err(&failed)?;
    for meta in &left {
        match objects.delete(&meta.location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(source) => return Err(failed(source)),
        }
    }
    Ok(left.len())
}
