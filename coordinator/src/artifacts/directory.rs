//! The store in a local folder: an object comes in under a name of its own, is checked, and then takes its place by a
//! rename that never overwrites.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::Stream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetResult, GetResultPayload, ObjectStore, ObjectStoreExt as _, WriteMultipart};
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;
use rustix::fs::Access;
use tokio::io::AsyncSeekExt as _;
use tokio_util::io::ReaderStream;

use super::receiving::Receiving;
use super::{ArtifactError, Condition, INCOMING, Incoming, Trouble};

/// Bytes written at once.
const PART: usize = 1 << 20;
/// Bytes read at once.
const PIECE: usize = 256 << 10;

/// An opened folder.
#[derive(Debug)]
pub(super) struct Directory {
    folder: PathBuf,
    objects: LocalFileSystem,
}

/// Where an object stands.
pub(super) fn place(kind: ObjectKind, digest: &Digest) -> Path {
    Path::from_iter([kind.as_str(), &digest.to_string()])
}

fn failed(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "directory",
        source: source.into(),
    }
}

impl Directory {
    /// Makes the folder where it is missing.
    pub(super) fn open(folder: &FilePath) -> Result<Self, ArtifactError> {
        let objects = fs_err::create_dir_all(folder)
            .map_err(failed)
            .and_then(|()| LocalFileSystem::new_with_prefix(folder))
            .map_err(ArtifactError::store("opening its folder"))?
            .with_fsync(true);
        Ok(Self {
            folder: folder.to_owned(),
            objects,
        })
    }

    pub(super) const fn objects(&self) -> &dyn ObjectStore {
        &self.objects
    }

    pub(super) async fn put<S, E>(
        &self,
        incoming: Incoming,
        receiving: Receiving<S>,
    ) -> Result<u64, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::fmt::Display,
    {
        let temporary = Path::from_iter([INCOMING, &incoming.id.to_string()]);
        let upload = self
            .objects
            .put_multipart(&temporary)
            .await
            .map_err(ArtifactError::store("beginning an object"))?;
        let mut writer = WriteMultipart::new_with_chunk_size(upload, PART);
        let bytes = match receiving.pour(&mut writer, incoming.digest).await {
            Ok(bytes) => bytes,
            Err(error) => {
                // What is left is swept later; the sender's error is the one to tell.
                writer.abort().await.ok();
                return Err(error);
            }
        };
        writer
            .finish()
            .await
            .map_err(ArtifactError::store("ending an object"))?;
        let place = place(incoming.kind, &incoming.digest);
        match self.objects.rename_if_not_exists(&temporary, &place).await {
            Ok(()) => Ok(bytes),
            // Somebody else brought the same bytes meanwhile.
            Err(object_store::Error::AlreadyExists { .. }) => {
                self.objects.delete(&temporary).await.ok();
                Ok(bytes)
            }
            Err(source) => Err(ArtifactError::store("naming an object")(source)),
        }
    }

    /// Removes files that came in and were never named. The store's own list does not show them: until it is ended, an
    /// upload stands under a name with a number behind it.
    pub(super) async fn sweep(self: Arc<Self>, before: DateTime<Utc>) -> object_store::Result<usize> {
        let swept = tokio::task::spawn_blocking(move || sweep(&self.folder.join(INCOMING), before));
        swept.await?.map_err(failed)
    }

    pub(super) fn examine(&self) -> Result<Condition, Trouble> {
        let name = self.folder.display().to_string();
        let trouble = |wrong: rustix::io::Errno, cure: &str| Trouble {
            store: name.clone(),
            wrong: wrong.to_string(),
            cure: cure.to_owned(),
        };
        let rights = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        rustix::fs::access(&self.folder, rights)
            .map_err(|error| trouble(error, "give the folder to the user that the coordinator runs as"))?;
        let disk = rustix::fs::statvfs(&self.folder)
            .map_err(|error| trouble(error, "check store.directory and its owner"))?;
        let space = (
            disk.f_bavail * disk.f_frsize,
            (disk.f_blocks * disk.f_frsize).max(1),
        );
        Ok(Condition {
            name,
            space: Some(space),
            in_the_clear: false,
        })
    }
}

fn sweep(incoming: &FilePath, before: DateTime<Utc>) -> std::io::Result<usize> {
    let is_gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    let entries = match fs_err::read_dir(incoming) {
        Ok(entries) => entries,
        Err(error) if is_gone(&error) => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut swept = 0;
    for entry in entries {
        let entry = entry?;
        // Another coordinator sweeps here too, and uploads end while this one looks.
        let removed = entry.metadata().and_then(|meta| {
            if DateTime::<Utc>::from(meta.modified()?) >= before {
                return Ok(false);
            }
            fs_err::remove_file(entry.path()).map(|()| true)
        });
        match removed {
            Ok(removed) => swept += usize::from(removed),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(swept)
}

/// What was found, as an answer; a file in larger pieces than the store's own stream makes.
pub(super) async fn body(found: GetResult) -> Result<Body, ArtifactError> {
    let start = found.range.start;
    match found.payload {
        GetResultPayload::File(file, _) => {
            let mut file = tokio::fs::File::from_std(file);
            file.seek(std::io::SeekFrom::Start(start))
                .await
                .map_err(failed)
                .map_err(ArtifactError::store("reading an object"))?;
            Ok(Body::from_stream(ReaderStream::with_capacity(file, PIECE)))
        }
        GetResultPayload::Stream(stream) => Ok(Body::from_stream(stream)),
    }
}
