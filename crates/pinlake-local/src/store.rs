//! Buckets and objects, in memory or in a data folder, shared by the S3 server, the export jobs and tests.
//!
//! Contract: an object is immutable; a put replaces it whole. Readers hold what they read, in memory or in files, and are not
//! disturbed by later writes. Keys are ordered by their UTF-8 bytes, as in S3. In a data folder ([`Store::open`]) a change
//! that returns is on the disk; bytes are read when they are asked for, and only what is told of objects is in memory.
//! Multipart uploads under way end with the process.
//!
//! Locks: `turn` is held by whoever changes something, while that is written down; `content` for map operations only, never
//! while bytes are copied, hashed or written.

mod body;
mod folder;
mod intake;
mod listing;
mod object;
mod record;
mod upload;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use s3s::checksum::ChecksumHasher;
use thiserror::Error;

pub(crate) use body::Body;
pub(crate) use intake::Received;
pub use listing::{ListPage, ListQuery};
pub use object::{Object, ObjectHeaders};
pub(crate) use upload::{CompletedPart, Part, Upload, UploadFacts, UploadQuery, UploadTarget};

use folder::DataFolder;

/// Why the store refused something, or failed.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The bucket's name breaks S3's rules.
    #[error("{bucket:?} is not a bucket name")]
    InvalidBucketName {
        /// The name.
        bucket: String,
    },
    /// There is no such bucket.
    #[error("there is no bucket {bucket:?}")]
    NoSuchBucket {
        /// The bucket.
        bucket: String,
    },
    /// The bucket exists already.
    #[error("the bucket {bucket:?} exists already")]
    BucketExists {
        /// The bucket.
        bucket: String,
    },
    /// The bucket to delete holds objects.
    #[error("the bucket {bucket:?} is not empty")]
    BucketNotEmpty {
        /// The bucket.
        bucket: String,
    },
    /// There is no such object.
    #[error("the bucket {bucket:?} has no object {key:?}")]
    NoSuchKey {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
    },
    /// There is no such multipart upload, or it is one of another key.
    #[error("there is no upload {upload_id:?} of {key:?} in {bucket:?}")]
    NoSuchUpload {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The upload.
        upload_id: String,
    },
    /// A part to complete an upload with was never sent, or has another `ETag`.
    #[error("part {part_number} of the upload of {key:?} is not the one that was sent")]
    InvalidPart {
        /// The key.
        key: String,
        /// The part, from 1.
        part_number: i32,
    },
    /// The parts to complete an upload with are not in ascending order.
    #[error("the parts of {key:?} are not in ascending order")]
    InvalidPartOrder {
        /// The key.
        key: String,
    },
    /// A part other than the last is smaller than S3 allows.
    #[error("part {part_number} of {key:?} has {size} bytes; all but the last need {minimum}")]
    PartTooSmall {
        /// The key.
        key: String,
        /// The part, from 1.
        part_number: i32,
        /// Its bytes.
        size: usize,
        /// The fewest bytes it needs.
        minimum: usize,
    },
    /// The data folder could not be made, secured or read.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another server has the data folder.
    #[error("{} is in use by another local server", path.display())]
    InUse {
        /// The file that is locked.
        path: PathBuf,
    },
    /// The file in the data folder is none of ours, or damaged.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the embedded store said.
        #[source]
        source: Box<redb::DatabaseError>,
    },
    /// What is told of buckets and objects cannot be read or written.
    #[error("the list of objects cannot be read or written")]
    Database {
        /// What the embedded store said.
        #[source]
        source: Box<redb::Error>,
    },
    /// What is told of an object is not what this version writes.
    #[error("what is told of an object cannot be read")]
    Record {
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
    /// The server has been stopped.
    #[error("the store is closed")]
    Closed,
    /// The bytes of an object cannot be read or written.
    #[error("the bytes of an object cannot be read or written")]
    Bytes {
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Buckets and their objects. Clones share one content.
#[derive(Debug, Clone, Default)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What clones share.
#[derive(Debug, Default)]
struct Shared {
    content: RwLock<Content>,
    /// Held from the look at what is there to the change of it.
    turn: Mutex<()>,
    folder: Option<DataFolder>,
}

/// What the lock guards.
#[derive(Debug, Default)]
struct Content {
    buckets: BTreeMap<String, Bucket>,
    uploads: BTreeMap<String, Upload>,
}

/// One bucket.
#[derive(Debug)]
struct Bucket {
    created: SystemTime,
    objects: BTreeMap<String, Object>,
}

impl Content {
    fn bucket(&self, bucket: &str) -> Result<&Bucket, StoreError> {
        self.buckets.get(bucket).ok_or_else(|| StoreError::NoSuchBucket { bucket: bucket.to_owned() })
    }

    fn bucket_mut(&mut self, bucket: &str) -> Result<&mut Bucket, StoreError> {
        self.buckets.get_mut(bucket).ok_or_else(|| StoreError::NoSuchBucket { bucket: bucket.to_owned() })
    }
}

impl Store {
    /// The store in a folder, which is made where it does not exist, for its owner alone.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, when another server has it, and when its files are none of ours or damaged.
    pub fn open(folder: &Path) -> Result<Store, StoreError> {
        let (folder, buckets) = DataFolder::open(folder)?;
        let content = RwLock::new(Content { buckets, uploads: BTreeMap::new() });
        Ok(Store { shared: Arc::new(Shared { content, folder: Some(folder), ..Shared::default() }) })
    }

    /// Whether changes wait for a disk.
    pub(crate) fn is_durable(&self) -> bool {
        self.shared.folder.is_some()
    }

    /// Gives a data folder up. What still holds the store can read it, and no longer change it.
    pub(crate) fn close(&self) {
        if let Some(folder) = self.folder() {
            folder.close();
        }
    }

    /// Makes a bucket.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(StoreError::InvalidBucketName { bucket: bucket.to_owned() });
        }
        let _turn = self.turn();
        if self.has_bucket(bucket) {
            return Err(StoreError::BucketExists { bucket: bucket.to_owned() });
        }
        let created = object::now();
        if let Some(folder) = self.folder() {
            folder.put_bucket(bucket, created)?;
        }
        self.write().buckets.insert(bucket.to_owned(), Bucket { created, objects: BTreeMap::new() });
        Ok(())
    }

    /// Deletes a bucket, which must be empty.
    pub fn delete_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        let _turn = self.turn();
        if !self.read().bucket(bucket)?.objects.is_empty() {
            return Err(StoreError::BucketNotEmpty { bucket: bucket.to_owned() });
        }
        if let Some(folder) = self.folder() {
            folder.remove_bucket(bucket)?;
        }
        let mut content = self.write();
        content.buckets.remove(bucket);
        content.uploads.retain(|_, upload| upload.bucket != bucket);
        Ok(())
    }

    /// The buckets' names and when they were made, in order of name.
    #[must_use]
    pub fn buckets(&self) -> Vec<(String, SystemTime)> {
        self.read().buckets.iter().map(|(name, bucket)| (name.clone(), bucket.created)).collect()
    }

    /// Whether the bucket exists.
    #[must_use]
    pub fn has_bucket(&self, bucket: &str) -> bool {
        self.read().buckets.contains_key(bucket)
    }

    /// Puts an object of these bytes, and returns it with its `ETag`.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Result<Object, StoreError> {
        self.put_object(bucket, key, Object::new(bytes.into()))
    }

    /// Puts an object.
    pub fn put_object(&self, bucket: &str, key: &str, object: Object) -> Result<Object, StoreError> {
        self.put_object_if(bucket, key, object, |_| Ok::<(), StoreError>(()))
    }

    /// Puts an object if `condition` allows it, which is shown the one that would be replaced.
    pub(crate) fn put_object_if<E: From<StoreError>>(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        condition: impl FnOnce(Option<&Object>) -> Result<(), E>,
    ) -> Result<Object, E> {
        let object = self.settled(object)?;
        let turn = self.turn();
        condition(self.read().bucket(bucket)?.objects.get(key))?;
        if let Some(folder) = self.folder() {
            folder.put_object(bucket, key, &object)?;
        }
        object.body().name_files();
        let replaced = self.write().bucket_mut(bucket)?.objects.insert(key.to_owned(), object.clone());
        drop(turn);
        forget(replaced);
        Ok(object)
    }

    /// The object with its bytes where this store keeps them.
    fn settled(&self, object: Object) -> Result<Object, StoreError> {
        if self.folder().is_none() || object.length() == 0 || object.body().is_in_files() {
            return Ok(object);
        }
        let mut intake = self.intake(ChecksumHasher::default())?;
        intake.push(&object.bytes()?);
        Ok(object.moved_to(intake.finish()?.body))
    }

    /// An object.
    pub fn get(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let content = self.read();
        let object = content.bucket(bucket)?.objects.get(key);
        object
            .cloned()
            .ok_or_else(|| StoreError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// Deletes an object; whether there was one.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<bool, StoreError> {
        self.delete_if(bucket, key, |_| Ok::<(), StoreError>(()))
    }

    /// Deletes an object if `condition` allows it, which is shown the object; whether there was one.
    pub(crate) fn delete_if<E: From<StoreError>>(
        &self,
        bucket: &str,
        key: &str,
        condition: impl FnOnce(Option<&Object>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let turn = self.turn();
        let exists = {
            let content = self.read();
            let object = content.bucket(bucket)?.objects.get(key);
            condition(object)?;
            object.is_some()
        };
        if !exists {
            return Ok(false);
        }
        if let Some(folder) = self.folder() {
            folder.remove_object(bucket, key)?;
        }
        let removed = self.write().bucket_mut(bucket)?.objects.remove(key);
        drop(turn);
        forget(removed);
        Ok(true)
    }

    /// One page of a listing.
    pub fn list(&self, bucket: &str, query: &ListQuery) -> Result<ListPage, StoreError> {
        Ok(listing::page(&self.read().bucket(bucket)?.objects, query))
    }

    /// All keys with a prefix, in order.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, StoreError> {
        let content = self.read();
        let objects = content.bucket(bucket)?.objects.range(prefix.to_owned()..);
        Ok(objects.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned().collect())
    }

    /// Replaces an object by one of the same bytes and another `ETag`, as a multipart upload of one part would: what a
    /// reader sees when an object is written again between listing and reading.
    pub fn rewrite(&self, bucket: &str, key: &str) -> Result<Object, StoreError> {
        let before = self.get(bucket, key)?;
        self.put_object(bucket, key, before.rewritten())
    }

    fn folder(&self) -> Option<&DataFolder> {
        self.shared.folder.as_ref()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        // A panic elsewhere leaves the maps whole: each change is one insertion or removal.
        self.shared.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.shared.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets go of an object that the store does not have any more. Its files are removed once no reader holds them.
fn forget(object: Option<Object>) {
    if let Some(object) = object {
        object.body().forget_files();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_made_once_and_deleted_empty() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let twice = store.create_bucket("pieces");
        assert!(matches!(twice, Err(StoreError::BucketExists { bucket }) if bucket == "pieces"));
        let odd = store.create_bucket("No_Bucket");
        assert!(matches!(odd, Err(StoreError::InvalidBucketName { bucket }) if bucket == "No_Bucket"));
        store.put("pieces", "a", "1")?;
        assert!(matches!(store.delete_bucket("pieces"), Err(StoreError::BucketNotEmpty { .. })));
        assert!(store.delete("pieces", "a")?);
        assert!(!store.delete("pieces", "a")?);
        store.delete_bucket("pieces")?;
        assert!(matches!(store.put("pieces", "a", "1"), Err(StoreError::NoSuchBucket { .. })));
        Ok(())
    }

    #[test]
    fn a_rewritten_object_has_the_same_bytes_and_another_etag() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let before = store.put("pieces", "a", "same")?;
        assert_eq!(before.etag(), "51037a4a37730f52c8732586d3aaa316");
        let after = store.rewrite("pieces", "a")?;
        assert_eq!(after.bytes()?, before.bytes()?);
        assert_ne!(after.etag(), before.etag());
        assert_eq!(store.get("pieces", "a")?.etag(), after.etag());
        assert_ne!(store.rewrite("pieces", "a")?.etag(), after.etag());
        Ok(())
    }
}
