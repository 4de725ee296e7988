//! Writes of objects: bodies, headers and checksums of uploads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use hyper::header::HeaderMap;
use hyper::{StatusCode, http};
use s3s::dto::{StreamingBlob, Timestamp, TimestampFormat};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders};

use super::{checksums, errors, reading};
use crate::store::{ObjectHeaders, Received, Store};

/// Bytes of one upload, at most, where the store is in memory.
const MAXIMUM_MEMORY_BYTES: usize = 1024 * 1024 * 1024;

/// Bytes of one upload, at most, where the store is in files: S3's own limit.
const MAXIMUM_BYTES: usize = 5 * 1024 * 1024 * 1024;

/// What an upload's request tells beside its body.
pub(super) struct UploadFacts<'request> {
    /// The request's headers.
    pub(super) headers: &'request HeaderMap,
    /// What came with the request besides, [`BodyBytes`] among it.
    pub(super) extensions: &'request http::Extensions,
    /// What stands behind a chunked body.
    pub(super) trailers: Option<&'request TrailingHeaders>,
    /// `Content-MD5`.
    pub(super) content_md5: Option<&'request str>,
    /// The body's length, as the client promised it.
    pub(super) content_length: Option<i64>,
    /// A checksum that is to be worked out though the request does not announce it.
    pub(super) checksum_algorithm: Option<&'request str>,
}

/// Facts of an upload, out of the requests of several operations.
macro_rules! upload_facts {
    ($request:expr, $algorithm:expr) => {
        $crate::s3::writing::UploadFacts {
            headers: &$request.headers,
            extensions: &$request.extensions,
            trailers: $request.trailing_headers.as_ref(),
            content_md5: $request.input.content_md5.as_deref(),
            content_length: $request.input.content_length,
            checksum_algorithm: $algorithm,
        }
    };
}
pub(super) use upload_facts;

/// How many bytes of a request's body have come. s3s does not say why a body broke off: where all bytes have come, it was
/// altered on its way.
#[derive(Debug, Clone)]
pub(super) struct BodyBytes {
    came: Arc<AtomicU64>,
    promised: u64,
}

impl BodyBytes {
    /// None of so many bytes.
    pub(super) fn new(promised: u64) -> Self {
        BodyBytes { came: Arc::default(), promised }
    }

    /// So many more.
    pub(super) fn add(&self, bytes: usize) {
        self.came.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether all have come.
    pub(super) fn all_came(&self) -> bool {
        self.came.load(Ordering::Relaxed) == self.promised
    }
}

/// Takes an upload's body in and checks it against what was declared about it.
pub(super) async fn receive(
    store: &Store,
    body: Option<StreamingBlob>,
    facts: UploadFacts<'_>,
) -> S3Result<Received> {
    let names = checksums::announced(facts.headers);
    let hasher = checksums::hasher(names.iter().copied().chain(facts.checksum_algorithm));
    let mut intake = store.intake(hasher)?;
    let maximum = if intake.is_in_memory() { MAXIMUM_MEMORY_BYTES } else { MAXIMUM_BYTES };
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|source| broken(source, &facts))?;
            if intake.length() + chunk.len() > maximum {
                return Err(S3Error::new(S3ErrorCode::EntityTooLarge));
            }
            if intake.push(&chunk) {
                intake = on_disk(move || intake.write().map(|()| intake)).await?;
            }
        }
    }
    let promised = facts.content_length.and_then(|length| usize::try_from(length).ok());
    if promised.is_some_and(|promised| promised != intake.length()) {
        return Err(S3Error::new(S3ErrorCode::IncompleteBody));
    }
    let received = if intake.is_in_memory() { intake.finish()? } else { on_disk(|| intake.finish()).await? };
    checksums::verify_md5(received.md5, facts.content_md5)?;
    checksums::verify(&received.checksum, &checksums::declared(facts.headers, facts.trailers))?;
    Ok(Received { checksum: checksums::whole(received.checksum), ..received })
}

/// Why a body broke off.
fn broken(source: StdError, facts: &UploadFacts<'_>) -> S3Error {
    if facts.extensions.get::<BodyBytes>().is_some_and(BodyBytes::all_came) {
        return reading::refusal(errors::ALTERED.0, StatusCode::BAD_REQUEST, errors::ALTERED.1);
    }
    S3Error::with_source(S3ErrorCode::IncompleteBody, source)
}

/// Does what waits for the disk where nobody else waits for it.
pub(super) async fn on_disk<T: Send + 'static, E: Into<S3Error> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> S3Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Into::into),
        Err(error) => Err(S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))),
    }
}

/// Changes the store: at once where it is in memory, else where nobody waits for the disk.
pub(super) async fn change<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&Store) -> S3Result<T> + Send + 'static,
) -> S3Result<T> {
    if !store.is_durable() {
        return work(store);
    }
    let store = store.clone();
    on_disk(move || work(&store)).await
}

/// Headers that are kept with an object, out of the inputs of several operations.
macro_rules! object_headers {
    ($input:expr) => {
        $crate::s3::writing::with_metadata(
            $crate::store::ObjectHeaders {
                content_type: $input.content_type.clone(),
                content_encoding: $input.content_encoding.clone(),
                content_disposition: $input.content_disposition.clone(),
                content_language: $input.content_language.clone(),
                cache_control: $input.cache_control.clone(),
                expires: $input.expires.as_ref().and_then($crate::s3::writing::http_date),
                metadata: std::collections::BTreeMap::new(),
            },
            $input.metadata.clone(),
        )
    };
}
pub(super) use object_headers;

/// Refuses tags, which are not kept.
pub(super) fn refuse_tags(tagging: Option<&str>) -> S3Result<()> {
    if tagging.is_some_and(|tagging| !tagging.is_empty()) {
        return Err(S3Error::with_message(S3ErrorCode::NotImplemented, "Tags of objects are not kept"));
    }
    Ok(())
}

/// A date as headers have it.
pub(super) fn http_date(date: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    date.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// The headers with the user's metadata.
pub(super) fn with_metadata(
    headers: ObjectHeaders,
    metadata: Option<impl IntoIterator<Item = (String, String)>>,
) -> ObjectHeaders {
    let metadata: BTreeMap<String, String> = metadata.into_iter().flatten().collect();
    ObjectHeaders { metadata, ..headers }
}
