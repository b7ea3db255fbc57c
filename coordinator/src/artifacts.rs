//! The artifact store: objects named by their content, written once, believed only for their digest.
//!
//! It is a local folder or a bucket of an S3-compatible service; whoever stores and fetches need not know which. It
//! refuses to know who may do that; [`crate::operations::store_object`] does.

mod bucket;
mod directory;
mod manifests;
mod receiving;
mod trouble;
mod uploads;

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt as _};
use pointsman_archive::Manifest;
use pointsman_shared::api::agent::ObjectKind;
use pointsman_shared::digest::Digest;

use crate::config::{StorePlace, StoreSection};
use bucket::Bucket;
use directory::Directory;
use manifests::Manifests;
use receiving::Receiving;
pub use trouble::Trouble;

/// Where objects stand until they are checked.
const INCOMING: &str = "incoming";

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
    /// It is there and cannot be understood.
    #[error("the {what} in the artifact store cannot be read: {why}")]
    Damaged {
        /// What it is.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A file that the configuration names cannot be used.
    #[error("{key} cannot be read")]
    File {
        /// The key, such as `store.s3.ca_file`.
        key: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
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

/// What a look at the store finds when it is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The store as its operator knows it: a folder, or a bucket and its service.
    pub name: String,
    /// Free bytes and all bytes of its disk; a bucket has no such end.
    pub space: Option<(u64, u64)>,
    /// Whether everybody on the way can read what travels.
    pub in_the_clear: bool,
}

/// The store that the configuration names; cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifacts {
    kind: Kind,
    /// What was read last.
    manifests: Arc<Manifests>,
}

#[derive(Debug, Clone)]
enum Kind {
    Directory(Arc<Directory>),
    Bucket(Arc<Bucket>),
}

/// Opens the store. What a folder says is written is on its disk; a bucket is not asked for anything yet.
pub fn open(section: &StoreSection) -> Result<Artifacts, ArtifactError> {
    let kind = match &section.place {
        StorePlace::Directory(folder) => Kind::Directory(Arc::new(Directory::open(folder)?)),
        StorePlace::S3(s3) => Kind::Bucket(Arc::new(Bucket::open(s3)?)),
    };
    Ok(Artifacts {
        kind,
        manifests: Arc::default(),
    })
}

/// Tries whether the bucket that the configuration names can be used, with an object that goes at once. A folder is left
/// alone: it may yet have to be made, by the user that the coordinator runs as.
pub async fn prove(section: &StoreSection, id: uuid::Uuid) -> anyhow::Result<()> {
    match &section.place {
        StorePlace::Directory(_) => Ok(()),
        StorePlace::S3(s3) => {
            let proven = Bucket::open(s3)?.prove(id).await;
            proven.map_err(|trouble| anyhow::anyhow!("{trouble}; {}", trouble.cure))
        }
    }
}

impl Artifacts {
    fn objects(&self) -> &dyn ObjectStore {
        match &self.kind {
            Kind::Directory(directory) => directory.objects(),
            Kind::Bucket(bucket) => bucket.objects(),
        }
    }

    fn place(&self, kind: ObjectKind, digest: &Digest) -> Path {
        match &self.kind {
            Kind::Directory(_) => directory::place(kind, digest),
            Kind::Bucket(bucket) => bucket.place(kind, digest),
        }
    }

    /// Size of an object in bytes, when it is there.
    pub async fn size(&self, kind: ObjectKind, digest: &Digest) -> Result<Option<u64>, ArtifactError> {
        match self.objects().head(&self.place(kind, digest)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(ArtifactError::store("looking for an object")(source)),
        }
    }

    /// Takes an object in; returns its size. Nothing bears the object's name before its content was checked, and an
    /// object that is there already stays.
    pub async fn put<S, E>(&self, incoming: Incoming, content: S) -> Result<u64, ArtifactError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
        E: std::fmt::Display,
    {
        let receiving = Receiving::new(content, incoming.most);
        match &self.kind {
            Kind::Directory(directory) => directory.put(incoming, receiving).await,
            Kind::Bucket(bucket) => bucket.put(incoming, receiving).await,
        }
    }

    /// Gives an object out, from byte `offset` on; none when it is not there.
    pub async fn get(
        &self,
        kind: ObjectKind,
        digest: &Digest,
        offset: u64,
    ) -> Result<Option<Outgoing>, ArtifactError> {
        let options = GetOptions {
            range: (offset > 0).then_some(GetRange::Offset(offset)),
            ..GetOptions::default()
        };
        let found = self.objects().get_opts(&self.place(kind, digest), options).await;
        let Some(found) = there(found)? else {
            return Ok(None);
        };
        let (size, range) = (found.meta.size, found.range.clone());
        let body = directory::body(found).await?;
        Ok(Some(Outgoing { size, range, body }))
    }

    /// The bytes of a small object; none when it is not there.
    pub async fn read(&self, kind: ObjectKind, digest: &Digest) -> Result<Option<Bytes>, ArtifactError> {
        match there(self.objects().get(&self.place(kind, digest)).await)? {
            Some(found) => {
                let bytes = found.bytes().await;
                bytes.map(Some).map_err(ArtifactError::store("reading an object"))
            }
            None => Ok(None),
        }
    }

    /// Some bytes of an object; none when it is not there.
    pub async fn read_range(
        &self,
        kind: ObjectKind,
        digest: &Digest,
        range: std::ops::Range<u64>,
    ) -> Result<Option<Bytes>, ArtifactError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = self.objects().get_opts(&self.place(kind, digest), options).await;
        match there(found)? {
            Some(found) => {
                let bytes = found.bytes().await;
                bytes.map(Some).map_err(ArtifactError::store("reading an object"))
            }
            None => Ok(None),
        }
    }

    /// A manifest, read; none when it is not there. The newest few are kept, because whoever looks at a release looks
    /// more than once.
    pub async fn manifest(&self, digest: &Digest) -> Result<Option<Arc<Manifest>>, ArtifactError> {
        if let Some(kept) = self.manifests.get(digest) {
            return Ok(Some(kept));
        }
        let Some(bytes) = self.read(ObjectKind::Manifest, digest).await? else {
            return Ok(None);
        };
        // Twenty thousand entries take too long for a thread that others wait for.
        let parsed = tokio::task::spawn_blocking(move || Manifest::parse(&bytes)).await;
        let damaged = |why: String| ArtifactError::Damaged {
            what: "manifest",
            why,
        };
        let parsed = parsed.map_err(|error| damaged(error.to_string()))?;
        let manifest = Arc::new(parsed.map_err(|error| damaged(error.to_string()))?);
        self.manifests.keep(*digest, Arc::clone(&manifest));
        Ok(Some(manifest))
    }

    /// Removes an object; one that is not there is as good as removed.
    pub async fn delete(&self, kind: ObjectKind, digest: &Digest) -> Result<(), ArtifactError> {
        remove(self.objects(), &self.place(kind, digest))
            .await
            .map_err(ArtifactError::store("deleting an object"))
    }

    /// Removes what came in and was never completed, when it was begun before a moment; returns how much it was.
    pub async fn sweep(&self, before: chrono::DateTime<chrono::Utc>) -> Result<usize, ArtifactError> {
        let swept = match &self.kind {
            Kind::Directory(directory) => Arc::clone(directory).sweep(before).await,
            Kind::Bucket(bucket) => bucket.sweep(before).await,
        };
        swept.map_err(ArtifactError::store("sweeping"))
    }

    /// Looks whether the store can be used now; changes nothing.
    pub async fn examine(&self) -> Result<Condition, Trouble> {
        match &self.kind {
            Kind::Directory(directory) => directory.examine(),
            Kind::Bucket(bucket) => bucket.examine().await,
        }
    }
}

/// What was asked for, if it is there. A bucket that is gone is not an object that is missing: nobody should build again
/// what comes back with it.
fn there<T>(asked: object_store::Result<T>) -> Result<Option<T>, ArtifactError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { source, .. }) if !trouble::is_missing_bucket(&*source) => {
            Ok(None)
        }
        Err(source) => Err(ArtifactError::store("reading an object")(source)),
    }
}

async fn remove(objects: &dyn ObjectStore, place: &Path) -> object_store::Result<()> {
    match objects.delete(place).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(source) => Err(source),
    }
}
