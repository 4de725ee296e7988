//! Multipart uploads: parts are kept until they are put together or given up. They are lost when the process ends.

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::dto::{Checksum, ChecksumAlgorithm, ChecksumType};
use uuid::Uuid;

use super::object::{hex, multipart_etag, now};
use super::{Body, Object, ObjectHeaders, Received, Store, StoreError};

/// The fewest bytes of every part but the last: S3's 5 MiB.
const MINIMUM_PART_BYTES: usize = 5 * 1024 * 1024;

/// An upload under way.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(super) bucket: String,
    key: String,
    facts: UploadFacts,
    initiated: SystemTime,
    parts: BTreeMap<i32, Part>,
}

/// What is told when an upload begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct UploadFacts {
    /// What the object will be told with.
    pub(crate) headers: ObjectHeaders,
    /// The checksum that every part is to have.
    pub(crate) checksum_algorithm: Option<ChecksumAlgorithm>,
    /// Whether the object's checksum is one of its bytes or one of its parts' checksums.
    pub(crate) checksum_type: Option<ChecksumType>,
}

impl Upload {
    /// The object's key.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What was told when it began.
    pub(crate) fn facts(&self) -> &UploadFacts {
        &self.facts
    }

    /// When it began, in whole seconds.
    pub(crate) fn initiated(&self) -> SystemTime {
        self.initiated
    }

    /// The parts sent so far, by number.
    pub(crate) fn parts(&self) -> &BTreeMap<i32, Part> {
        &self.parts
    }
}

/// A part that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    body: Body,
    md5: [u8; 16],
    checksum: Checksum,
    sent: SystemTime,
}

impl Part {
    /// The part's `ETag` without its quotation marks.
    pub(crate) fn etag(&self) -> String {
        hex(&self.md5)
    }

    /// How many bytes it has.
    pub(crate) fn size(&self) -> usize {
        self.body.length()
    }

    /// Its checksums.
    pub(crate) fn checksum(&self) -> &Checksum {
        &self.checksum
    }

    /// When it was sent, in whole seconds.
    pub(crate) fn sent(&self) -> SystemTime {
        self.sent
    }
}

/// Which uploads of a bucket to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct UploadQuery {
    /// Only those of keys that begin so.
    pub(crate) prefix: String,
    /// Only those behind this key, and of it those behind this upload, where one is named.
    pub(crate) after: Option<(String, Option<String>)>,
}

/// A part as the completing request names it.
#[derive(Debug, Clone)]
pub(crate) struct CompletedPart {
    /// The part, from 1.
    pub(crate) number: i32,
    /// Its `ETag`, where the request tells it.
    pub(crate) etag: Option<String>,
    /// Its checksums, as far as the request tells them.
    pub(crate) checksum: Checksum,
}

impl Store {
    /// Begins an upload and returns its id.
    pub(crate) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        facts: UploadFacts,
    ) -> Result<String, StoreError> {
        let mut content = self.write();
        content.bucket(bucket)?;
        let upload_id = Uuid::new_v4().simple().to_string();
        let upload = Upload {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            facts,
            initiated: now(),
            parts: BTreeMap::new(),
        };
        content.uploads.insert(upload_id.clone(), upload);
        Ok(upload_id)
    }

    /// The upload as it stands.
    pub(crate) fn upload(&self, target: UploadTarget<'_>) -> Result<Upload, StoreError> {
        let content = self.read();
        content.bucket(target.bucket)?;
        let upload = content.uploads.get(target.upload_id);
        upload.filter(|upload| target.is(upload)).cloned().ok_or_else(|| target.missing())
    }

    /// The uploads of a bucket with their ids, in the order of keys, and of those of one key, of ids.
    pub(crate) fn uploads(
        &self,
        bucket: &str,
        query: &UploadQuery,
    ) -> Result<Vec<(String, Upload)>, StoreError> {
        let content = self.read();
        content.bucket(bucket)?;
        let is_wanted = |id: &str, upload: &Upload| {
            let is_behind = query.after.as_ref().is_none_or(|(key, after_id)| match after_id {
                Some(after_id) => (upload.key.as_str(), id) > (key.as_str(), after_id.as_str()),
                None => upload.key > *key,
            });
            upload.bucket == bucket && upload.key.starts_with(&query.prefix) && is_behind
        };
        let mut uploads: Vec<(String, Upload)> = content
            .uploads
            .iter()
            .filter(|(id, upload)| is_wanted(id, upload))
            .map(|(id, upload)| (id.clone(), upload.clone()))
            .collect();
        uploads.sort_by(|(_, first), (_, second)| first.key.cmp(&second.key));
        Ok(uploads)
    }

    /// Keeps a part, in place of an earlier one with its number.
    pub(crate) fn put_part(
        &self,
        target: UploadTarget<'_>,
        number: i32,
        received: Received,
    ) -> Result<Part, StoreError> {
        let Received { body, md5, checksum } = received;
        let part = Part { body, md5, checksum, sent: now() };
        let replaced = {
            let mut content = self.write();
            let upload = content.uploads.get_mut(target.upload_id);
            let upload = upload.filter(|upload| target.is(upload)).ok_or_else(|| target.missing())?;
            upload.parts.insert(number, part.clone())
        };
        drop(replaced);
        Ok(part)
    }

    /// Puts the object together from these parts. The upload stays until [`Store::end_upload`].
    pub(crate) fn assemble(
        &self,
        target: UploadTarget<'_>,
        completed: &[CompletedPart],
    ) -> Result<(Object, Vec<Part>), StoreError> {
        let upload = self.upload(target)?;
        let parts = chosen_parts(&upload, completed)?;
        let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.md5).collect();
        let body = Body::join(parts.iter().map(|part| &part.body));
        let object = Object::with_body(body, multipart_etag(&md5s))
            .with_headers(upload.facts.headers)
            .with_parts(parts.iter().map(Part::size).collect());
        Ok((object, parts))
    }

    /// Forgets an upload and its parts.
    pub(crate) fn end_upload(&self, target: UploadTarget<'_>) -> Result<(), StoreError> {
        let mut content = self.write();
        content.bucket(target.bucket)?;
        if !content.uploads.get(target.upload_id).is_some_and(|upload| target.is(upload)) {
            return Err(target.missing());
        }
        let ended = content.uploads.remove(target.upload_id);
        // Files of parts are removed after the lock is free.
        drop(content);
        drop(ended);
        Ok(())
    }
}

/// Names an upload: its id counts only together with its bucket and key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UploadTarget<'request> {
    pub(crate) bucket: &'request str,
    pub(crate) key: &'request str,
    pub(crate) upload_id: &'request str,
}

impl UploadTarget<'_> {
    fn is(&self, upload: &Upload) -> bool {
        upload.bucket == self.bucket && upload.key == self.key
    }

    fn missing(&self) -> StoreError {
        StoreError::NoSuchUpload {
            bucket: self.bucket.to_owned(),
            key: self.key.to_owned(),
            upload_id: self.upload_id.to_owned(),
        }
    }
}

/// The parts that the request names, checked by S3's rules.
fn chosen_parts(upload: &Upload, completed: &[CompletedPart]) -> Result<Vec<Part>, StoreError> {
    let key = || upload.key.clone();
    if !completed.is_sorted_by(|before, after| before.number < after.number) {
        return Err(StoreError::InvalidPartOrder { key: key() });
    }
    let mut parts = Vec::with_capacity(completed.len());
    for (position, named) in completed.iter().enumerate() {
        let invalid = || StoreError::InvalidPart { key: key(), part_number: named.number };
        let part = upload.parts.get(&named.number).ok_or_else(invalid)?;
        if named.etag.as_ref().is_some_and(|etag| *etag != part.etag()) || is_other(part, &named.checksum) {
            return Err(invalid());
        }
        if position + 1 < completed.len() && part.size() < MINIMUM_PART_BYTES {
            return Err(StoreError::PartTooSmall {
                key: key(),
                part_number: named.number,
                size: part.size(),
                minimum: MINIMUM_PART_BYTES,
            });
        }
        parts.push(part.clone());
    }
    Ok(parts)
}

/// Whether a checksum that is told of the part is not the one it has.
fn is_other(part: &Part, told: &Checksum) -> bool {
    let Checksum {
        checksum_crc32, checksum_crc32c, checksum_crc64nvme, checksum_sha1, checksum_sha256, ..
    } = &part.checksum;
    [
        (&told.checksum_crc32, checksum_crc32),
        (&told.checksum_crc32c, checksum_crc32c),
        (&told.checksum_crc64nvme, checksum_crc64nvme),
        (&told.checksum_sha1, checksum_sha1),
        (&told.checksum_sha256, checksum_sha256),
    ]
    .into_iter()
    .any(|(told, kept)| told.is_some() && kept.is_some() && told != kept)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use s3s::checksum::ChecksumHasher;

    use super::*;

    /// Bytes as they have been received.
    fn received(store: &Store, bytes: impl Into<Bytes>) -> Result<Received, StoreError> {
        let mut intake = store.intake(ChecksumHasher::default())?;
        intake.push(&bytes.into());
        intake.finish()
    }

    #[test]
    fn parts_make_an_object_with_an_etag_of_etags() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let upload_id = store.create_upload("pieces", "big", UploadFacts::default())?;
        let target = UploadTarget { bucket: "pieces", key: "big", upload_id: &upload_id };
        let first = store.put_part(target, 1, received(&store, vec![b'a'; MINIMUM_PART_BYTES])?)?;
        let second = store.put_part(target, 7, received(&store, "tail")?)?;
        let named =
            |number, etag: String| CompletedPart { number, etag: Some(etag), checksum: Checksum::default() };
        let (one, two) = (named(1, first.etag()), named(7, second.etag()));

        assert!(matches!(
            store.assemble(target, &[two.clone(), one.clone()]),
            Err(StoreError::InvalidPartOrder { .. })
        ));
        assert!(matches!(
            store.assemble(target, &[one.clone(), named(3, second.etag())]),
            Err(StoreError::InvalidPart { part_number: 3, .. })
        ));
        let (object, _) = store.assemble(target, &[one, two])?;
        assert_eq!(object.length(), MINIMUM_PART_BYTES + 4);
        assert_eq!(object.etag(), multipart_etag(&[first.md5, second.md5]));
        assert!(object.etag().ends_with("-2"));

        store.end_upload(target)?;
        assert!(matches!(store.upload(target), Err(StoreError::NoSuchUpload { .. })));
        Ok(())
    }

    #[test]
    fn small_parts_are_refused_but_at_the_end() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let upload_id = store.create_upload("pieces", "big", UploadFacts::default())?;
        let target = UploadTarget { bucket: "pieces", key: "big", upload_id: &upload_id };
        for number in 1..=2 {
            store.put_part(target, number, received(&store, "small")?)?;
        }
        let parts = [1, 2].map(|number| CompletedPart { number, etag: None, checksum: Checksum::default() });
        assert!(matches!(
            store.assemble(target, &parts),
            Err(StoreError::PartTooSmall { part_number: 1, .. })
        ));
        assert_eq!(store.assemble(target, &parts[..1])?.0.bytes()?.as_ref(), b"small");
        let other = UploadTarget { key: "other", ..target };
        assert!(matches!(store.end_upload(other), Err(StoreError::NoSuchUpload { .. })));
        Ok(())
    }
}
