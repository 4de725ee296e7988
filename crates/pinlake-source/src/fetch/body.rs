//! A piece as it arrives: chunks in order, hashed on the way, with the permits that hold their room.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::digest::{PieceDigest, PieceFacts};
use super::{AbortOnDrop, FetchError};
use crate::error::SourceError;
use crate::piece::{Location, Piece};

/// What a GET ends with.
pub(super) type SpanResult = Result<SpanData<HeldBytes>, FetchError>;

/// A span's bytes and what is known of its piece.
#[derive(Debug)]
pub(super) struct SpanData<B> {
    pub(super) bytes: B,
    /// With a whole piece.
    pub(super) facts: Option<PieceFacts>,
    /// With a part, where the object's MD5 is known and no better checksum was compared.
    pub(super) expected_md5: Option<String>,
}

impl<B> SpanData<B> {
    pub(super) fn map<C>(self, change: impl FnOnce(B) -> C) -> SpanData<C> {
        SpanData { bytes: change(self.bytes), facts: self.facts, expected_md5: self.expected_md5 }
    }
}

/// Bytes together with their room in the window, which is free again when this is dropped.
///
/// The bytes can be cloned out and kept longer, but then the window no longer bounds memory. The `Debug` form
/// shows how many there are and not what they are.
pub struct HeldBytes {
    /// The bytes, contiguous.
    pub bytes: Bytes,
    /// Shared with the digest of the same bytes, which may still be running when the consumer is done.
    permit: Arc<OwnedSemaphorePermit>,
}

impl HeldBytes {
    pub(super) fn new(bytes: Bytes, permit: OwnedSemaphorePermit) -> Self {
        Self { bytes, permit: Arc::new(permit) }
    }
}

impl std::fmt::Debug for HeldBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldBytes").field("len", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl std::ops::Deref for HeldBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// One piece of the plan. Dropping it early ends its GETs.
#[derive(Debug)]
pub struct PieceBody {
    /// Which piece of the plan it is.
    pub index: usize,
    /// Whether one chunk holds it all.
    pub is_whole: bool,
    pieces: Arc<[Piece]>,
    chunks: mpsc::Receiver<oneshot::Receiver<SpanResult>>,
    /// A chunk on its way. It is kept here so that a call can be cancelled.
    coming: Option<oneshot::Receiver<SpanResult>>,
    /// A chunk that has come and is not handed out yet.
    ready: Option<HeldBytes>,
    taken_bytes: u64,
    digest: Hashing,
    expected_md5: Option<String>,
    facts: Option<PieceFacts>,
    guard: Option<Arc<AbortOnDrop>>,
}

/// The digest of a piece in chunks. Each is hashed while the consumer works on it.
#[derive(Debug)]
enum Hashing {
    /// Before the first chunk, which tells whether the MD5 is wanted; or never: a whole piece is hashed where
    /// it is got.
    NotYet,
    Running(JoinHandle<PieceDigest>),
}

impl PieceBody {
    pub(super) fn new(
        pieces: Arc<[Piece]>,
        index: usize,
        is_whole: bool,
        chunks: mpsc::Receiver<oneshot::Receiver<SpanResult>>,
    ) -> Self {
        Self {
            index,
            is_whole,
            pieces,
            chunks,
            coming: None,
            ready: None,
            taken_bytes: 0,
            digest: Hashing::NotYet,
            expected_md5: None,
            facts: None,
            guard: None,
        }
    }

    /// Keeps the GETs running for as long as this body lives.
    pub(super) fn hold(&mut self, guard: Arc<AbortOnDrop>) {
        self.guard = Some(guard);
    }

    /// Waits for the first chunk without handing it out. Cancel safe.
    pub(super) async fn first_ready(&mut self) -> Result<(), FetchError> {
        if self.ready.is_none() {
            self.ready = self.receive().await?;
        }
        Ok(())
    }

    /// The piece's size in bytes, as listed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.piece().size
    }

    /// The piece itself, as listed.
    #[must_use]
    pub fn piece(&self) -> &Piece {
        &self.pieces[self.index]
    }

    /// The next chunk; `None` when all has come and every check held. A whole piece gives one chunk, which is
    /// empty for a piece of nothing. After an error there is nothing more to be had. Cancel safe.
    pub async fn next_chunk(&mut self) -> Option<Result<HeldBytes, SourceError>> {
        self.try_next_chunk().await.map_err(SourceError::from).transpose()
    }

    async fn try_next_chunk(&mut self) -> Result<Option<HeldBytes>, FetchError> {
        self.first_ready().await?;
        let digest = self.settled().await?;
        // From here on nothing waits, so a call that is cancelled has taken nothing.
        match self.ready.take() {
            Some(chunk) => {
                self.taken_bytes += chunk.len() as u64;
                if !self.is_whole {
                    self.hash(digest, &chunk);
                }
                Ok(Some(chunk))
            }
            None => self.finish(digest).map(|()| None),
        }
    }

    /// The SHA-256 and length of the piece: for a whole piece at once, else after `next_chunk` gave `None`.
    #[must_use]
    pub fn facts(&self) -> Option<&PieceFacts> {
        self.facts.as_ref()
    }

    async fn receive(&mut self) -> Result<Option<HeldBytes>, FetchError> {
        if self.coming.is_none() {
            self.coming = self.chunks.recv().await;
        }
        let Some(coming) = &mut self.coming else { return Ok(None) };
        let result = coming.await;
        self.coming = None;
        let span = match result {
            Ok(Ok(span)) => span,
            failed => {
                // What comes after a gap is of no use to anyone.
                self.chunks = mpsc::channel(1).1;
                return Err(failed.ok().and_then(Result::err).unwrap_or_else(|| self.aborted()));
            }
        };
        self.facts = span.facts;
        self.expected_md5 = span.expected_md5;
        Ok(Some(span.bytes))
    }

    /// The digest of the chunks handed out so far, once it is done with the last of them.
    async fn settled(&mut self) -> Result<Option<PieceDigest>, FetchError> {
        let Hashing::Running(task) = &mut self.digest else { return Ok(None) };
        let digest = task.await;
        self.digest = Hashing::NotYet;
        digest.map(Some).map_err(|_| self.aborted())
    }

    /// Starts hashing a chunk behind the consumer's back.
    fn hash(&mut self, digest: Option<PieceDigest>, chunk: &HeldBytes) {
        let mut digest = digest.unwrap_or_else(|| PieceDigest::new(self.expected_md5.is_some()));
        let (bytes, permit) = (chunk.bytes.clone(), Arc::clone(&chunk.permit));
        self.digest = Hashing::Running(tokio::task::spawn_blocking(move || {
            digest.update(&bytes);
            drop((bytes, permit));
            digest
        }));
    }

    /// All has come: is it as much as was listed, and what it should be?
    fn finish(&mut self, digest: Option<PieceDigest>) -> Result<(), FetchError> {
        if let Some(digest) = digest {
            let digested = digest.finish();
            if digested.md5.is_some() && digested.md5 != self.expected_md5 {
                return Err(self.damaged());
            }
            self.facts = Some(digested.facts);
        }
        // The planner ends early only when it is aborted.
        if self.taken_bytes == self.size() && self.facts.is_some() { Ok(()) } else { Err(self.aborted()) }
    }

    fn damaged(&self) -> FetchError {
        match &self.piece().location {
            Location::S3 { bucket, key } => {
                FetchError::ObjectDamaged { bucket: bucket.clone(), key: key.clone(), attempts: 1 }
            }
            Location::File(path) => FetchError::FileChanged { path: path.clone() },
        }
    }

    fn aborted(&self) -> FetchError {
        FetchError::Aborted { piece: self.piece().name.clone() }
    }
}
