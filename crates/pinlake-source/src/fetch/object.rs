//! One span of an object, got in as many attempts as it takes.
//!
//! Bytes that have come are kept: the next attempt asks for the rest with `Range`. A body is given up as
//! stalled when it brings less than [`LEAST_RATE`] over the stall time-out, so that a server that drips a byte
//! a second does not hold a connection for days. Each attempt passes the gate that says how many run at once.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::FetchError;
use super::body::SpanData;
use super::digest::{PieceDigest, md5_of_etag};
use super::gate::Gate;
use super::planner::Span;
use crate::aws::Aws;
use crate::failure::{FailureKind, RequestFailure};
use crate::retry::{LEAST_RATE, Retry};

/// How many times a piece is read whose bytes do not have the MD5 they should. A flipped bit on the way is
/// mended by the second time; an object that is wrong at rest stays wrong.
const DAMAGED_ATTEMPTS: u32 = 3;

/// A span and what it must turn out to be.
pub(super) struct ObjectSpan<'a> {
    pub(super) aws: &'a Aws,
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    /// The `ETag` as listed.
    pub(super) etag: Option<&'a str>,
    /// The object's size as listed.
    pub(super) size: u64,
    pub(super) span: Span,
    pub(super) gate: &'a Gate,
    /// The span's place in the plan.
    pub(super) turn: u64,
}

/// What has come so far of a span.
struct Received {
    bytes: BytesMut,
    /// Whether one unbroken response brought it all, under a checksum that the SDK compared.
    is_checked: bool,
    /// Whether the object's `ETag` is the MD5 of its bytes, as far as the response tells.
    is_etag_md5: bool,
}

/// Which part of a body is the one that was asked for.
struct Wanted {
    /// How many leading bytes are not wanted.
    skip: u64,
    /// Whether it is the whole object in place of a range; what follows the span is then left unread.
    is_all: bool,
}

/// Why an attempt ended early.
enum Setback {
    /// It may be tried again.
    Passing(RequestFailure),
    /// It may not.
    Final(FetchError),
}

impl From<RequestFailure> for Setback {
    fn from(failure: RequestFailure) -> Self {
        Self::Passing(failure)
    }
}

impl ObjectSpan<'_> {
    /// The span's bytes in one buffer. A whole piece comes with its facts, its MD5 compared where there is
    /// one; with a part comes the MD5 that the object must turn out to have.
    pub(super) async fn get(&self) -> Result<SpanData<Bytes>, FetchError> {
        for attempt in 1..=DAMAGED_ATTEMPTS {
            let received = self.receive().await?;
            let bytes = received.bytes.freeze();
            let is_with_md5 = received.is_etag_md5 && !received.is_checked;
            let expected = self.etag.and_then(md5_of_etag).filter(|_| is_with_md5);
            if !self.span.is_whole {
                return Ok(SpanData { bytes, facts: None, expected_md5: expected });
            }
            let digested = PieceDigest::of_whole(&bytes, expected.is_some())
                .await
                .ok_or_else(|| FetchError::Aborted { piece: self.key.to_owned() })?;
            if digested.md5 == expected {
                return Ok(SpanData { bytes, facts: Some(digested.facts), expected_md5: None });
            }
            tracing::warn!(bucket = self.bucket, key = ?self.key, attempt, "the bytes do not have their MD5");
        }
        let (bucket, key) = (self.bucket.to_owned(), self.key.to_owned());
        Err(FetchError::ObjectDamaged { bucket, key, attempts: DAMAGED_ATTEMPTS })
    }

    /// Attempts until the span is complete.
    async fn receive(&self) -> Result<Received, FetchError> {
        let mut retry = self.aws.retry();
        let mut received = Received {
            bytes: BytesMut::with_capacity(self.span.bytes),
            is_checked: false,
            is_etag_md5: false,
        };
        loop {
            let before = received.bytes.len();
            let asked = Instant::now();
            let pass = self.gate.enter(self.turn).await;
            retry.waited(asked.elapsed());
            let failure = match self.attempt(&mut received).await {
                Ok(()) => {
                    pass.succeeded();
                    retry.succeeded();
                    return Ok(received);
                }
                Err(Setback::Final(error)) => return Err(error),
                Err(Setback::Passing(failure)) => failure,
            };
            if matches!(failure.kind(), FailureKind::Throttled | FailureKind::Stalled) {
                pass.slowed();
            } else {
                drop(pass);
            }
            if received.bytes.len() == self.span.bytes && self.span.bytes > 0 {
                // All is there and yet it failed: the SDK found that the checksum is wrong.
                received.bytes.clear();
            } else if received.bytes.len() - before >= self.least_bytes() {
                retry.progressed(received.bytes.len());
            }
            if !retry.again(&failure).await {
                return Err(self.failed(failure, &retry));
            }
        }
    }

    /// What must come within the stall time-out, in bytes.
    fn least_bytes(&self) -> usize {
        let millis = u64::try_from(self.aws.stall_timeout().as_millis()).unwrap_or(u64::MAX);
        let bytes = millis.saturating_mul(LEAST_RATE.into()) / 1_000;
        usize::try_from(bytes).unwrap_or(usize::MAX).max(1)
    }

    /// One GET for what is still missing.
    async fn attempt(&self, received: &mut Received) -> Result<(), Setback> {
        let client = self.aws.s3().map_err(|_| self.not_connected())?;
        let from = self.span.offset + received.bytes.len() as u64;
        let to = self.span.offset + self.span.bytes as u64;
        let is_ranged = !self.span.is_whole || !received.bytes.is_empty();
        let range = is_ranged.then(|| format!("bytes={from}-{}", to.saturating_sub(1)));
        let call = client.get_object().bucket(self.bucket).key(self.key).set_range(range);
        let call = call.set_if_match(self.etag.map(str::to_owned));
        let output = match call.send().await {
            Ok(output) => output,
            Err(error) => return Err(self.refused(RequestFailure::from_sdk(&error))),
        };
        let skip = self.check_head(&output, from, to)?;
        let is_all = is_ranged && output.content_range().is_none();
        received.is_checked = !is_ranged && has_checksum(&output);
        received.is_etag_md5 = is_md5_etag(self.bucket, &output);
        let wanted = Wanted { skip, is_all };
        self.read_body(output.body, wanted, received).await
    }

    /// Compares a response's head with what was listed; returns how many leading bytes are not wanted.
    fn check_head(&self, output: &GetObjectOutput, from: u64, to: u64) -> Result<u64, Setback> {
        if let (Some(listed), Some(now)) = (self.etag, output.e_tag())
            && listed != now
        {
            return Err(Setback::Final(self.changed()));
        }
        let length = output.content_length().and_then(|length| u64::try_from(length).ok());
        // A server that does not know ranges sends it all.
        let (start, total, expected) = match output.content_range() {
            Some(range) => match parsed_content_range(range) {
                Some((start, total)) => (start, total, to - from),
                None => return Err(wrong_length("the range of the answer cannot be read")),
            },
            None => (0, length.unwrap_or(self.size), self.size),
        };
        if total != self.size {
            let text = format!("the object has {total} bytes where {} were listed", self.size);
            return Err(wrong_length(text));
        }
        if start != from && output.content_range().is_some() {
            return Err(wrong_length("the answer is of another range"));
        }
        match length {
            Some(length) if length != expected => {
                Err(wrong_length(format!("the answer has {length} bytes where {expected} are due")))
            }
            _ => Ok(from - start),
        }
    }

    /// Appends a body to what has come, up to the span's end.
    async fn read_body(
        &self,
        mut body: ByteStream,
        wanted: Wanted,
        received: &mut Received,
    ) -> Result<(), Setback> {
        let (stall_timeout, least_bytes) = (self.aws.stall_timeout(), self.least_bytes());
        let mut deadline = Instant::now() + stall_timeout;
        let mut since_deadline = 0;
        let mut to_skip = wanted.skip;
        loop {
            let chunk = timeout_at(deadline, body.next()).await.map_err(|_| {
                let text = format!("less than {least_bytes} bytes in {} s", stall_timeout.as_secs_f32());
                RequestFailure::new(FailureKind::Stalled, text)
            })?;
            let Some(chunk) = chunk else { break };
            let mut chunk = chunk.map_err(|error| RequestFailure::from_body(&error))?;
            since_deadline += chunk.len();
            if since_deadline >= least_bytes {
                deadline = Instant::now() + stall_timeout;
                since_deadline = 0;
            }
            let unwanted = usize::try_from(to_skip).unwrap_or(usize::MAX).min(chunk.len());
            to_skip -= unwanted as u64;
            chunk = chunk.slice(unwanted..);
            let room = self.span.bytes - received.bytes.len();
            received.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                return if wanted.is_all { Ok(()) } else { Err(wrong_length("too many bytes")) };
            }
        }
        if received.bytes.len() < self.span.bytes {
            return Err(wrong_length(format!("{} of {} bytes came", received.bytes.len(), self.span.bytes)));
        }
        Ok(())
    }

    /// Sorts a refusal into what is final for this object and what may pass.
    fn refused(&self, failure: RequestFailure) -> Setback {
        let (bucket, key) = (self.bucket.to_owned(), self.key.to_owned());
        match (failure.kind(), failure.status()) {
            (FailureKind::NotFound, _) => Setback::Final(FetchError::ObjectVanished { bucket, key }),
            // 416: the range begins behind the end, so the object has become shorter.
            (FailureKind::PreconditionFailed, _) | (_, Some(416)) => Setback::Final(self.changed()),
            _ => Setback::Passing(failure),
        }
    }

    fn changed(&self) -> FetchError {
        FetchError::ObjectChanged { bucket: self.bucket.to_owned(), key: self.key.to_owned() }
    }

    fn not_connected(&self) -> Setback {
        let (bucket, key) = (self.bucket.to_owned(), self.key.to_owned());
        Setback::Final(FetchError::NotConnected { bucket, key })
    }

    fn failed(&self, cause: RequestFailure, retry: &Retry) -> FetchError {
        let (bucket, key) = (self.bucket.to_owned(), self.key.to_owned());
        FetchError::Request { bucket, key, attempts: retry.attempts(), cause }
    }
}

fn wrong_length(text: impl Into<String>) -> Setback {
    Setback::Passing(RequestFailure::new(FailureKind::WrongLength, text))
}

/// `bytes 10-19/200` is `(10, 200)`.
fn parsed_content_range(range: &str) -> Option<(u64, u64)> {
    let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = span.split_once('-')?;
    Some((start.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// Whether the response came with a checksum of the whole object, which the SDK then compares. Those of
/// multipart uploads (`…-3`) are checksums of checksums and compared by nobody.
fn has_checksum(output: &GetObjectOutput) -> bool {
    let checksums = [
        output.checksum_crc64_nvme(),
        output.checksum_crc32(),
        output.checksum_crc32_c(),
        output.checksum_sha1(),
        output.checksum_sha256(),
    ];
    checksums.into_iter().flatten().any(|checksum| !checksum.contains('-'))
}

/// Whether an `ETag` that looks like an MD5 is one: not with keys of KMS or the customer's own, and not in
/// directory buckets.
fn is_md5_etag(bucket: &str, output: &GetObjectOutput) -> bool {
    let is_plain = matches!(output.server_side_encryption(), None | Some(ServerSideEncryption::Aes256));
    is_plain && output.sse_customer_algorithm().is_none() && !bucket.ends_with("--x-s3")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_ranges_are_read_or_refused() {
        assert_eq!(parsed_content_range("bytes 10-19/200"), Some((10, 200)));
        for odd in ["", "bytes */200", "bytes 10-19/*", "10-19/200", "bytes x-1/2"] {
            assert_eq!(parsed_content_range(odd), None, "{odd}");
        }
    }
}
