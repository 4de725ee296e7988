//! What is told of an object in the data folder: JSON, with the names of the files that hold its bytes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use s3s::dto::{Checksum, ChecksumType};
use serde::{Deserialize, Serialize};

use super::body::{Body, KeptFile, Segment};
use super::{Object, ObjectHeaders};

/// An object as it is written down.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    etag: String,
    last_modified: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<Extent>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<usize>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    checksum: BTreeMap<String, String>,
}

/// Some bytes of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Extent {
    name: String,
    start: u64,
    length: usize,
}

/// A header's name and its place among the others.
type HeaderPlace = (&'static str, fn(&mut ObjectHeaders) -> &mut Option<String>);

/// The headers that are kept.
const HEADERS: [HeaderPlace; 6] = [
    ("Content-Type", |headers| &mut headers.content_type),
    ("Content-Encoding", |headers| &mut headers.content_encoding),
    ("Content-Disposition", |headers| &mut headers.content_disposition),
    ("Content-Language", |headers| &mut headers.content_language),
    ("Cache-Control", |headers| &mut headers.cache_control),
    ("Expires", |headers| &mut headers.expires),
];

/// A checksum's name and its place among the others.
type ChecksumPlace = (&'static str, fn(&mut Checksum) -> &mut Option<String>);

/// The checksums that are kept.
const CHECKSUMS: [ChecksumPlace; 5] = [
    ("CRC32", |checksum| &mut checksum.checksum_crc32),
    ("CRC32C", |checksum| &mut checksum.checksum_crc32c),
    ("CRC64NVME", |checksum| &mut checksum.checksum_crc64nvme),
    ("SHA1", |checksum| &mut checksum.checksum_sha1),
    ("SHA256", |checksum| &mut checksum.checksum_sha256),
];

/// The name under which a checksum's type stands.
const CHECKSUM_TYPE: &str = "Type";

impl Record {
    /// What is told of the object, all of whose bytes are in files.
    pub(super) fn of(object: &Object) -> Self {
        let files = object.body().segments().iter().filter_map(|segment| match segment {
            Segment::File { file, start, length } => {
                Some(Extent { name: file.name().to_owned(), start: *start, length: *length })
            }
            Segment::Memory(_) => None,
        });
        let mut headers = object.headers().clone();
        let mut checksum = object.checksum().clone();
        let checksum_type = checksum.checksum_type.take();
        let checksum_type = checksum_type.map(|told| (CHECKSUM_TYPE.to_owned(), told.as_str().to_owned()));
        Record {
            etag: object.etag().to_owned(),
            last_modified: seconds(object.last_modified()),
            files: files.collect(),
            parts: object.parts().to_vec(),
            metadata: std::mem::take(&mut headers.metadata),
            headers: HEADERS
                .iter()
                .filter_map(|(name, place)| Some(((*name).to_owned(), place(&mut headers).take()?)))
                .collect(),
            checksum: CHECKSUMS
                .iter()
                .filter_map(|(name, place)| Some(((*name).to_owned(), place(&mut checksum).take()?)))
                .chain(checksum_type)
                .collect(),
        }
    }

    /// The object, with its files as `file` has them by name.
    pub(super) fn into_object(mut self, mut file: impl FnMut(String) -> Arc<KeptFile>) -> Object {
        let segments = self.files.into_iter().map(|extent| Segment::File {
            file: file(extent.name),
            start: extent.start,
            length: extent.length,
        });
        let mut headers = ObjectHeaders { metadata: self.metadata, ..ObjectHeaders::default() };
        for (name, place) in HEADERS {
            *place(&mut headers) = self.headers.remove(name);
        }
        let mut checksum = Checksum {
            checksum_type: self.checksum.remove(CHECKSUM_TYPE).map(ChecksumType::from),
            ..Checksum::default()
        };
        for (name, place) in CHECKSUMS {
            *place(&mut checksum) = self.checksum.remove(name);
        }
        Object::with_body(Body::of(segments.collect()), self.etag)
            .with_headers(headers)
            .with_checksum(checksum)
            .with_parts(self.parts)
            .written_at(time(self.last_modified))
    }
}

/// Seconds since the epoch.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The time that is so many seconds after the epoch.
pub(super) fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
