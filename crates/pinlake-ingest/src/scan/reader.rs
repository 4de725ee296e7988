//! One part of a scan, read from its first piece to its last: the task behind [`super::PieceRows`].
//!
//! A job unpacks some blocks and comes back; the task then finds room for each block among those that wait or are being
//! decoded, so what has been unpacked and not been taken is bounded by whoever takes rows. A chunk is fed in slices, for
//! compressed bytes may stand for a thousand times as many.

use std::sync::Arc;

use arrow::error::ArrowError;
use pinlake_decode::{Block, BlockDecoder, DecodedBlock, UnpackError, Unpacker};
use pinlake_source::{HeldBytes, Piece, PieceBody, fetch};
use tokio::sync::mpsc;

use super::{Work, lock};
use crate::error::IngestError;
use crate::pool::Job;

/// Compressed bytes fed at once. The most that they can stand for is 16 MiB.
const SLICE_BYTES: usize = 16 * 1024;
/// A job that has unpacked so many blocks comes back.
const BLOCKS_AT_ONCE: usize = 4;

/// A block that is being decoded, with the name of its piece; or why there will be no more.
pub(super) type Pending = Result<(Arc<str>, Job<Result<DecodedBlock, ArrowError>>), IngestError>;

/// Reads `pieces` in order and sends their blocks, as jobs in the order of lines. A failure is the last thing sent.
pub(super) async fn read(work: Arc<Work>, pieces: Arc<[Piece]>, blocks: mpsc::Sender<Pending>) {
    if let Err(error) = read_pieces(&work, pieces, &blocks).await {
        // Where nobody listens any more, nobody wants to know.
        let _ = blocks.send(Err(error)).await;
    }
}

async fn read_pieces(
    work: &Arc<Work>,
    pieces: Arc<[Piece]>,
    blocks: &mpsc::Sender<Pending>,
) -> Result<(), IngestError> {
    let fetched_together = if work.is_small { 1 } else { pieces.len().max(1) };
    for some in pieces.chunks(fetched_together) {
        let mut fetch = fetch(work.aws.clone(), some.into(), work.limits.fetch);
        while let Some(body) = fetch.next().await {
            read_piece(work, body?, blocks).await?;
        }
    }
    Ok(())
}

async fn read_piece(
    work: &Arc<Work>,
    mut body: PieceBody,
    blocks: &mpsc::Sender<Pending>,
) -> Result<(), IngestError> {
    let piece: Arc<str> = body.piece().name.as_str().into();
    let damaged = |source: UnpackError| IngestError::Unpack { piece: piece.to_string(), source };
    let unpacker = Unpacker::for_piece(&piece, work.limits.unpack, &work.buffers);
    let mut unpacking = Unpacking { unpacker, is_whole: body.is_whole, blocks: Vec::new() };
    while let Some(chunk) = body.next_chunk().await {
        // The permits stay with the chunk until it is unpacked.
        let chunk = Arc::new(chunk?);
        let mut at = 0;
        while at < chunk.bytes.len() {
            let job_chunk = Arc::clone(&chunk);
            let fed;
            (unpacking, fed) = work.pool.run(move || unpacking.some(&job_chunk, at)).await?;
            at = fed.map_err(damaged)?;
            send(work, &piece, &mut unpacking.blocks, blocks).await?;
        }
    }
    let (mut unpacking, finished) = work.pool.run(move || unpacking.rest()).await?;
    finished.map_err(damaged)?;
    send(work, &piece, &mut unpacking.blocks, blocks).await
}

/// What unpacks a piece, on its way between the task and its jobs.
struct Unpacking {
    unpacker: Unpacker,
    /// Whether the next chunk is the whole piece and may be inflated at once.
    is_whole: bool,
    blocks: Vec<Block>,
}

impl Unpacking {
    /// Unpacks some of `chunk` from `at` on; where the next call goes on.
    fn some(mut self, chunk: &HeldBytes, mut at: usize) -> (Self, Result<usize, UnpackError>) {
        let Self { unpacker, is_whole, blocks } = &mut self;
        if std::mem::take(is_whole) && unpacker.inflate_whole(&chunk.bytes, &mut |block| blocks.push(block)) {
            return (self, Ok(chunk.len()));
        }
        while at < chunk.len() && blocks.len() < BLOCKS_AT_ONCE {
            let end = chunk.len().min(at + SLICE_BYTES);
            if let Err(error) = unpacker.feed(&chunk[at..end], &mut |block| blocks.push(block)) {
                return (self, Err(error));
            }
            at = end;
        }
        (self, Ok(at))
    }

    /// The last block.
    fn rest(mut self) -> (Self, Result<(), UnpackError>) {
        let blocks = &mut self.blocks;
        let finished = self.unpacker.finish(&mut |block| blocks.push(block));
        (self, finished.map(|_| ()))
    }
}

/// Has blocks decoded, each as soon as there is room for it.
async fn send(
    work: &Arc<Work>,
    piece: &Arc<str>,
    blocks: &mut Vec<Block>,
    jobs: &mpsc::Sender<Pending>,
) -> Result<(), IngestError> {
    for block in blocks.drain(..) {
        let room = jobs.reserve().await.map_err(|_| IngestError::Stopped)?;
        let (job_work, name) = (Arc::clone(work), Arc::clone(piece));
        room.send(Ok((Arc::clone(piece), work.pool.start(move || job_work.decode(&name, &block)))));
    }
    Ok(())
}

impl Work {
    fn decode(&self, piece: &str, block: &Block) -> Result<DecodedBlock, ArrowError> {
        let free = lock(&self.decoders).pop();
        let mut decoder = free.unwrap_or_else(|| BlockDecoder::new(self.decoding));
        let outcome = decoder.decode(piece, 0, block)?;
        lock(&self.decoders).push(decoder);
        Ok(outcome)
    }
}
