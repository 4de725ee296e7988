//! Buckets and objects in memory, shared by the S3 server, the export jobs and tests.
//!
//! Contract: an object is immutable; a put replaces it whole. Readers hold [`Bytes`] and are not disturbed by later
//! writes. Keys are ordered by their UTF-8 bytes, as in S3. Locks are held for map operations only, never while bytes
//! are copied or hashed.

mod listing;
mod object;
mod upload;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use bytes::Bytes;
use thiserror::Error;

pub use listing::{ListPage, ListQuery};
pub use object::{Object, ObjectHeaders};
pub(crate) use upload::{CompletedPart, UploadTarget};

use upload::Upload;

/// Why the store refused something.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
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
}

/// Buckets and their objects. Clones share one content.
#[derive(Debug, Clone, Default)]
pub struct Store {
    content: Arc<RwLock<Content>>,
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
    /// Makes a bucket.
    pub fn create_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(StoreError::InvalidBucketName { bucket: bucket.to_owned() });
        }
        let mut content = self.write();
        if content.buckets.contains_key(bucket) {
            return Err(StoreError::BucketExists { bucket: bucket.to_owned() });
        }
        let created = object::now();
        content.buckets.insert(bucket.to_owned(), Bucket { created, objects: BTreeMap::new() });
        Ok(())
    }

    /// Deletes a bucket, which must be empty.
    pub fn delete_bucket(&self, bucket: &str) -> Result<(), StoreError> {
        let mut content = self.write();
        if !content.bucket(bucket)?.objects.is_empty() {
            return Err(StoreError::BucketNotEmpty { bucket: bucket.to_owned() });
        }
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
        self.write().bucket_mut(bucket)?.objects.insert(key.to_owned(), object.clone());
        Ok(object)
    }

    /// Puts an object if `condition` holds for the one it would replace, and returns whether it did.
    pub(crate) fn put_object_if(
        &self,
        bucket: &str,
        key: &str,
        object: Object,
        condition: impl FnOnce(Option<&Object>) -> bool,
    ) -> Result<bool, StoreError> {
        let mut content = self.write();
        let objects = &mut content.bucket_mut(bucket)?.objects;
        let holds = condition(objects.get(key));
        if holds {
            objects.insert(key.to_owned(), object);
        }
        Ok(holds)
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
        Ok(self.write().bucket_mut(bucket)?.objects.remove(key).is_some())
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

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        // A panic elsewhere leaves the maps whole: each change is one insertion or removal.
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!(twice, Err(StoreError::BucketExists { bucket: "pieces".to_owned() }));
        let odd = store.create_bucket("No_Bucket");
        assert_eq!(odd, Err(StoreError::InvalidBucketName { bucket: "No_Bucket".to_owned() }));
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
        assert_eq!(after.bytes(), before.bytes());
        assert_ne!(after.etag(), before.etag());
        assert_eq!(store.get("pieces", "a")?.etag(), after.etag());
        assert_ne!(store.rewrite("pieces", "a")?.etag(), after.etag());
        Ok(())
    }
}
