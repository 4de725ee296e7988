//! Unpacking, decoding and writing one after the other, each on all threads, so that each has a time of its own.
//!
//! The sample goes through in batches of some pieces, for neither its lines nor its columns fit into memory as a whole. A
//! batch is half the window of fetched bytes, and with its lines and columns some eight times as much. A thread that ends a
//! stage of a batch waits for the others, so the sum of the stages is more than the whole takes. As in a conversion, what one
//! decoder made goes to one file, which knows the decoder's dictionaries.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{Block, BlockDecoder, DecodeOptions, DecodedBlock, Unpacker, endpoint_schema};
use pinlake_lake::{DataFileWriter, Lake, LakeError, StageOptions, Staging, WriterOptions};
use pinlake_source::{HeldBytes, PieceBody, fetch};
use rayon::prelude::*;

use crate::error::IngestError;
use crate::limits::Limits;
use crate::plan::Plan;
use crate::pool::Pool;

/// Seconds that each stage took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StageTimes {
    pub(super) unpack: f64,
    pub(super) decode: f64,
    pub(super) write: f64,
    /// Bytes of all pieces, unpacked.
    pub(super) json_bytes: u64,
}

/// A piece on its way through.
struct PieceReader {
    name: Arc<str>,
    index: usize,
    is_whole: bool,
    /// None when the piece has been read to its end.
    unpacker: Option<Unpacker>,
    /// What has come and is not unpacked yet.
    chunks: Vec<HeldBytes>,
    is_complete: bool,
}

/// A thread's tools, and what it decoded last.
struct Bench {
    decoder: BlockDecoder,
    file: DataFileWriter,
    decoded: Vec<DecodedBlock>,
}

/// What the stages of all batches share.
struct Stages {
    limits: Limits,
    buffers: BufferPool,
    /// One for each thread; none once the files are closed.
    benches: Mutex<Vec<Bench>>,
    /// The files go with it.
    staging: Mutex<Option<Staging>>,
    times: Mutex<StageTimes>,
    stopped: AtomicBool,
}

/// Takes the pieces of a plan through the stages and publishes nothing.
pub(super) async fn measure(plan: &Plan) -> Result<StageTimes, IngestError> {
    let limits = plan.request.limits;
    let lake = Lake::open_or_create(&plan.request.lake, endpoint_schema()).await?;
    let staging = lake.stage(plan.snapshot.clone(), StageOptions::default()).await?;
    let pool = Pool::new(limits.threads)?;
    let max_line_bytes = limits.unpack.max_line_bytes;
    let writing = WriterOptions { row_group_bytes: limits.row_group_bytes, ..plan.request.writer.clone() };
    let bench = || {
        let decoder = BlockDecoder::new(DecodeOptions { max_line_bytes, ..DecodeOptions::default() });
        Ok(Bench { decoder, file: staging.writer(&writing)?, decoded: Vec::new() })
    };
    let benches = (0..limits.threads).map(|_| bench()).collect::<Result<_, LakeError>>()?;
    let stages = Arc::new(Stages {
        limits,
        buffers: BufferPool::new(limits.unpack.whole_bytes * limits.threads),
        benches: Mutex::new(benches),
        staging: Mutex::new(Some(staging)),
        times: Mutex::default(),
        stopped: AtomicBool::new(false),
    });
    let _stop = StopOnDrop(Arc::clone(&stages));
    read(plan, &pool, &stages).await?;
    let closing = Arc::clone(&stages);
    pool.run(move || closing.close()).await??;
    let times = *lock(&stages.times);
    Ok(times)
}

/// Fetches the pieces and hands them to the pool in batches. What is held is less than half the window and what the next
/// chunk brings, so there is always room for that.
async fn read(plan: &Plan, pool: &Pool, stages: &Arc<Stages>) -> Result<(), IngestError> {
    let limits = plan.request.limits;
    let mut fetch = fetch(plan.request.aws.clone(), Arc::clone(&plan.pieces), limits.fetch);
    let mut batch = Vec::new();
    let mut held_bytes = 0;
    while let Some(body) = fetch.next().await {
        let mut body = body?;
        batch.push(stages.open(&body));
        while let Some(chunk) = body.next_chunk().await {
            let chunk = chunk?;
            held_bytes += chunk.bytes.len();
            if let Some(reader) = batch.last_mut() {
                reader.chunks.push(chunk);
            }
            if held_bytes >= limits.fetch.window_bytes / 2 {
                batch = stages.run(pool, batch).await?;
                held_bytes = 0;
            }
        }
        if let Some(reader) = batch.last_mut() {
            reader.is_complete = true;
        }
    }
    stages.run(pool, batch).await?;
    Ok(())
}

impl Stages {
    fn open(&self, body: &PieceBody) -> PieceReader {
        let name: Arc<str> = body.piece().name.as_str().into();
        let unpacker = Unpacker::for_piece(&name, self.limits.unpack, &self.buffers);
        PieceReader {
            index: body.index,
            is_whole: body.is_whole,
            unpacker: Some(unpacker),
            chunks: Vec::new(),
            is_complete: false,
            name,
        }
    }

    /// Takes a batch through; the pieces that are not at their end come back.
    async fn run(
        self: &Arc<Self>,
        pool: &Pool,
        batch: Vec<PieceReader>,
    ) -> Result<Vec<PieceReader>, IngestError> {
        let stages = Arc::clone(self);
        pool.run(move || stages.take_through(batch)).await?
    }

    fn take_through(&self, mut batch: Vec<PieceReader>) -> Result<Vec<PieceReader>, IngestError> {
        let clock = Instant::now();
        let unpacked: Vec<Vec<Block>> =
            batch.par_iter_mut().map(|reader| self.unpack(reader)).collect::<Result<_, _>>()?;
        self.add(|times| times.unpack += clock.elapsed().as_secs_f64());
        let blocks: Vec<(&PieceReader, Block)> = batch
            .iter()
            .zip(unpacked)
            .flat_map(|(reader, blocks)| blocks.into_iter().map(move |block| (reader, block)))
            .collect();
        let mut benches = lock(&self.benches);
        let threads = benches.len();
        let clock = Instant::now();
        benches.par_iter_mut().enumerate().try_for_each(|(first, bench)| {
            blocks.iter().skip(first).step_by(threads).try_for_each(|block| self.decode(bench, block))
        })?;
        self.add(|times| times.decode += clock.elapsed().as_secs_f64());
        drop(blocks);
        let clock = Instant::now();
        benches.par_iter_mut().try_for_each(|bench| self.write(bench))?;
        self.add(|times| times.write += clock.elapsed().as_secs_f64());
        batch.retain(|reader| reader.unpacker.is_some());
        Ok(batch)
    }

    fn unpack(&self, reader: &mut PieceReader) -> Result<Vec<Block>, IngestError> {
        self.go_on()?;
        let mut blocks = Vec::new();
        let Some(mut unpacker) = reader.unpacker.take() else { return Ok(blocks) };
        let damaged = |source| IngestError::Unpack { piece: reader.name.to_string(), source };
        for chunk in reader.chunks.drain(..) {
            let mut sink = |block| blocks.push(block);
            let fed = if reader.is_whole {
                unpacker.feed_whole(&chunk.bytes, &mut sink)
            } else {
                unpacker.feed(&chunk.bytes, &mut sink)
            };
            fed.map_err(damaged)?;
        }
        if reader.is_complete {
            let totals = unpacker.finish(&mut |block| blocks.push(block)).map_err(damaged)?;
            self.add(|times| times.json_bytes += totals.bytes);
        } else {
            reader.unpacker = Some(unpacker);
        }
        Ok(blocks)
    }

    fn decode(&self, bench: &mut Bench, (reader, block): &(&PieceReader, Block)) -> Result<(), IngestError> {
        self.go_on()?;
        let decoded = bench
            .decoder
            .decode(&reader.name, reader.index, block)
            .map_err(|source| IngestError::Columns { piece: reader.name.to_string(), source })?;
        bench.decoded.push(decoded);
        Ok(())
    }

    fn write(&self, bench: &mut Bench) -> Result<(), IngestError> {
        for block in bench.decoded.drain(..) {
            self.go_on()?;
            if let Some(batch) = &block.batch {
                bench.file.write(batch)?;
            }
        }
        Ok(())
    }

    /// What is left to encode is encoded, and every file is synced.
    fn close(&self) -> Result<(), IngestError> {
        let benches = std::mem::take(&mut *lock(&self.benches));
        let clock = Instant::now();
        benches.into_par_iter().try_for_each(|bench| bench.file.close().map(drop))?;
        self.add(|times| times.write += clock.elapsed().as_secs_f64());
        Ok(())
    }

    fn add(&self, change: impl FnOnce(&mut StageTimes)) {
        change(&mut lock(&self.times));
    }

    fn go_on(&self) -> Result<(), IngestError> {
        if self.stopped.load(Ordering::Acquire) { Err(IngestError::Stopped) } else { Ok(()) }
    }
}

/// Stops the stages when nobody waits for them any more, and takes the staged files away.
struct StopOnDrop(Arc<Stages>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Release);
        drop(lock(&self.0.staging).take());
    }
}

/// Locks, also after a panic elsewhere: what these locks guard is only read then to be thrown away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
