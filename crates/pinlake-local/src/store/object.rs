//! An object: bytes, an `ETag` and what was told with them.
//!
//! Its bytes are in memory, or in files of the data folder and read on demand.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use md5::{Digest, Md5};
use s3s::dto::Checksum;

use super::{Body, StoreError};

/// What an uploader says about an object and a reader is told again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `Cache-Control`.
    pub cache_control: Option<String>,
    /// `Expires`, as it was sent.
    pub expires: Option<String>,
    /// `x-amz-meta-…`, without the prefix.
    pub metadata: BTreeMap<String, String>,
}

/// An object. Cloning is cheap: bytes and headers are shared.
#[derive(Clone)]
pub struct Object {
    body: Body,
    etag: String,
    last_modified: SystemTime,
    headers: Arc<ObjectHeaders>,
    checksum: Arc<Checksum>,
    parts: Arc<[usize]>,
}

impl Object {
    /// An object of these bytes, with the MD5 of them as its `ETag`, written now.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let etag = hex(&md5(&bytes));
        Object::with_body(Body::in_memory(bytes), etag)
    }

    /// An object of this body, written now.
    pub(crate) fn with_body(body: Body, etag: String) -> Self {
        Object {
            body,
            etag,
            last_modified: now(),
            headers: Arc::default(),
            checksum: Arc::default(),
            parts: Arc::default(),
        }
    }

    /// The object with these headers.
    #[must_use]
    pub fn with_headers(mut self, headers: ObjectHeaders) -> Self {
        self.headers = Arc::new(headers);
        self
    }

    /// The object as one that was put together from parts of these lengths.
    pub(crate) fn with_parts(mut self, parts: Vec<usize>) -> Self {
        self.parts = parts.into();
        self
    }

    /// The object as it was written at another time.
    pub(super) fn written_at(mut self, time: SystemTime) -> Self {
        self.last_modified = time;
        self
    }

    /// The object with its bytes somewhere else.
    pub(super) fn moved_to(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// The object with these checksums.
    pub(crate) fn with_checksum(mut self, checksum: Checksum) -> Self {
        self.checksum = Arc::new(checksum);
        self
    }

    /// The same bytes written again later, in another way: another `ETag`.
    pub(crate) fn rewritten(&self) -> Self {
        let mut copy = self.clone();
        copy.etag = multipart_etag(&[md5(self.etag.as_bytes())]);
        copy.last_modified = now();
        copy
    }

    /// The bytes. Those of a durable store are read from the disk.
    ///
    /// # Errors
    ///
    /// When the files of a durable store cannot be read.
    pub fn bytes(&self) -> Result<Bytes, StoreError> {
        self.body.read().map_err(|source| StoreError::Bytes { source })
    }

    /// How many bytes there are.
    #[must_use]
    pub fn length(&self) -> usize {
        self.body.length()
    }

    /// Where the bytes are.
    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// The lengths of the parts that it was put together from; none where it was written at once.
    pub(crate) fn parts(&self) -> &[usize] {
        &self.parts
    }

    /// The `ETag` without its quotation marks.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// When it was written, in whole seconds as S3 keeps it.
    #[must_use]
    pub fn last_modified(&self) -> SystemTime {
        self.last_modified
    }

    /// What was told with it.
    #[must_use]
    pub fn headers(&self) -> &ObjectHeaders {
        &self.headers
    }

    /// The checksums of an upload; objects of export jobs have none, as those written before December 2024.
    pub(crate) fn checksum(&self) -> &Checksum {
        &self.checksum
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The bytes are somebody's audience.
        formatter
            .debug_struct("Object")
            .field("bytes", &self.length())
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

/// The MD5 of bytes.
pub(super) fn md5(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

/// The `ETag` of an object put together from parts: the MD5 of the parts' MD5s, and their number.
pub(super) fn multipart_etag(parts: &[[u8; 16]]) -> String {
    format!("{}-{}", hex(&md5(&parts.concat())), parts.len())
}

/// Bytes in lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The time in whole seconds.
pub(super) fn now() -> SystemTime {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    SystemTime::UNIX_EPOCH + Duration::from_secs(since_epoch.as_secs())
}
