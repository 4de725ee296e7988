//! Multipart uploads: parts are kept until they are put together or given up.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::object::{hex, md5, multipart_etag};
use super::{Object, ObjectHeaders, Store, StoreError};

/// The fewest bytes of every part but the last: S3's 5 MiB.
const MINIMUM_PART_BYTES: usize = 5 * 1024 * 1024;

/// An upload under way.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) bucket: String,
    key: String,
    headers: ObjectHeaders,
    parts: BTreeMap<i32, Part>,
}

/// A part that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    bytes: Bytes,
    md5: [u8; 16],
}

impl Part {
    /// The part's `ETag` without its quotation marks.
    pub(crate) fn etag(&self) -> String {
        hex(&self.md5)
    }

    /// The part's bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }
}

/// A part as the completing request names it.
#[derive(Debug, Clone)]
pub(crate) struct CompletedPart {
    /// The part, from 1.
    pub(crate) number: i32,
    /// Its `ETag`, where the request tells it.
    pub(crate) etag: Option<String>,
}

impl Store {
    /// Begins an upload and returns its id.
    pub(crate) fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        headers: ObjectHeaders,
    ) -> Result<String, StoreError> {
        let mut content = self.write();
        content.bucket(bucket)?;
        let upload_id = Uuid::new_v4().simple().to_string();
        let upload =
            Upload { bucket: bucket.to_owned(), key: key.to_owned(), headers, parts: BTreeMap::new() };
        content.uploads.insert(upload_id.clone(), upload);
        Ok(upload_id)
    }

    /// Keeps a part, in place of an earlier one with its number.
    pub(crate) fn put_part(
        &self,
        target: UploadTarget<'_>,
        number: i32,
        bytes: Bytes,
    ) -> Result<Part, StoreError> {
        let part = Part { md5: md5(&bytes), bytes };
        let mut content = self.write();
        let upload = content.uploads.get_mut(target.upload_id);
        let upload = upload.filter(|upload| target.is(upload)).ok_or_else(|| target.missing())?;
        upload.parts.insert(number, part.clone());
        Ok(part)
    }

    /// The parts sent so far, by number.
    pub(crate) fn parts(&self, target: UploadTarget<'_>) -> Result<Vec<(i32, Part)>, StoreError> {
        let content = self.read();
        let upload = content.uploads.get(target.upload_id);
        let upload = upload.filter(|upload| target.is(upload)).ok_or_else(|| target.missing())?;
        Ok(upload.parts.iter().map(|(number, part)| (*number, part.clone())).collect())
    }

    /// Puts the object together from these parts. The upload stays until [`Store::end_upload`].
    pub(crate) fn assemble(
        &self,
        target: UploadTarget<'_>,
        completed: &[CompletedPart],
    ) -> Result<Object, StoreError> {
        let (headers, parts) = {
            let content = self.read();
            let upload = content.uploads.get(target.upload_id);
            let upload = upload.filter(|upload| target.is(upload)).ok_or_else(|| target.missing())?;
            (upload.headers.clone(), chosen_parts(upload, completed)?)
        };
        let md5s: Vec<[u8; 16]> = parts.iter().map(|part| part.md5).collect();
        let mut bytes = BytesMut::with_capacity(parts.iter().map(Part::size).sum());
        for part in &parts {
            bytes.extend_from_slice(&part.bytes);
        }
        Ok(Object::new(bytes.freeze()).with_headers(headers).with_etag(multipart_etag(&md5s)))
    }

    /// Forgets an upload and its parts.
    pub(crate) fn end_upload(&self, target: UploadTarget<'_>) -> Result<(), StoreError> {
        let mut content = self.write();
        if !content.uploads.get(target.upload_id).is_some_and(|upload| target.is(upload)) {
            return Err(target.missing());
        }
        content.uploads.remove(target.upload_id);
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
        if named.etag.as_ref().is_some_and(|etag| *etag != part.etag()) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_an_object_with_an_etag_of_etags() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let upload_id = store.create_upload("pieces", "big", ObjectHeaders::default())?;
        let target = UploadTarget { bucket: "pieces", key: "big", upload_id: &upload_id };
        let first = store.put_part(target, 1, Bytes::from(vec![b'a'; MINIMUM_PART_BYTES]))?;
        let second = store.put_part(target, 7, Bytes::from_static(b"tail"))?;
        let named = |number, etag: String| CompletedPart { number, etag: Some(etag) };
        let (one, two) = (named(1, first.etag()), named(7, second.etag()));

        assert!(matches!(
            store.assemble(target, &[two.clone(), one.clone()]),
            Err(StoreError::InvalidPartOrder { .. })
        ));
        assert!(matches!(
            store.assemble(target, &[one.clone(), named(3, second.etag())]),
            Err(StoreError::InvalidPart { part_number: 3, .. })
        ));
        let object = store.assemble(target, &[one, two])?;
        assert_eq!(object.bytes().len(), MINIMUM_PART_BYTES + 4);
        assert_eq!(object.etag(), multipart_etag(&[first.md5, second.md5]));
        assert!(object.etag().ends_with("-2"));

        store.end_upload(target)?;
        assert!(matches!(store.parts(target), Err(StoreError::NoSuchUpload { .. })));
        Ok(())
    }

    #[test]
    fn small_parts_are_refused_but_at_the_end() -> Result<(), StoreError> {
        let store = Store::default();
        store.create_bucket("pieces")?;
        let upload_id = store.create_upload("pieces", "big", ObjectHeaders::default())?;
        let target = UploadTarget { bucket: "pieces", key: "big", upload_id: &upload_id };
        for number in 1..=2 {
            store.put_part(target, number, Bytes::from_static(b"small"))?;
        }
        let parts = [1, 2].map(|number| CompletedPart { number, etag: None });
        assert!(matches!(
            store.assemble(target, &parts),
            Err(StoreError::PartTooSmall { part_number: 1, .. })
        ));
        assert_eq!(store.assemble(target, &parts[..1])?.bytes().as_ref(), b"small");
        let other = UploadTarget { key: "other", ..target };
        assert!(matches!(store.end_upload(other), Err(StoreError::NoSuchUpload { .. })));
        Ok(())
    }
}
