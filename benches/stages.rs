//! The stages of a conversion one by one, on one thread: where the time of a piece goes.
//!
//! `cargo bench --bench stages` makes one piece of 50,000 seeded endpoints in memory and measures unpacking it (libdeflate on
//! the whole piece, and zlib-rs as a stream), decoding its blocks to Arrow (fast path, and the slow path that defines it; with
//! all columns, with two, and with none, as for a count),
//! and writing the batches as Parquet. Rates are endpoints a second. `benches/ends.rs` measures
//! fetching and reports, `pinlake bench` and `benches/compare.py` the whole.

use std::hint::black_box;
use std::path::Path;

use arrow::array::RecordBatch;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pinlake_decode::unpack::BufferPool;
use pinlake_decode::{
    Block, BlockDecoder, ColumnSelection, DecodeOptions, PieceFormat, UnpackLimits, Unpacker, endpoint_schema,
};
use pinlake_lake::{Compression, Lake, StageOptions, Staging, WriterOptions};
use pinlake_local::{Population, PopulationOptions};

const ENDPOINTS: u64 = 50_000;

/// The blocks of a piece, by the way that `whole` says.
fn unpack(piece: &Bytes, whole: bool, buffers: &BufferPool) -> Vec<Block> {
    let mut unpacker = Unpacker::new(PieceFormat::Gzip, UnpackLimits::default(), buffers);
    let mut blocks = Vec::new();
    let mut sink = |block| blocks.push(block);
    let fed = if whole { unpacker.feed_whole(piece, &mut sink) } else { unpacker.feed(piece, &mut sink) };
    fed.and_then(|()| unpacker.finish(&mut sink)).expect("a generated piece is sound");
    blocks
}

fn decode(decoder: &mut BlockDecoder, blocks: &[Block]) -> Vec<RecordBatch> {
    let outcomes =
        blocks.iter().map(|block| decoder.decode("piece.gz", 0, block).expect("columns make a batch"));
    outcomes.filter_map(|outcome| outcome.batch).collect()
}

/// A staging in a lake of its own; its writers' files go away with it.
fn staging(folder: &Path) -> Staging {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async {
        let lake = Lake::open_or_create(folder, endpoint_schema()).await.expect("a new lake opens");
        let id = "bench".parse().expect("the id is sound");
        lake.stage(id, StageOptions::default()).await.expect("nobody else stages")
    })
}

fn stages(criterion: &mut Criterion) {
    let population =
        Population::new(PopulationOptions { endpoints: ENDPOINTS, ..PopulationOptions::default() });
    let piece = Bytes::from(population.piece(0..ENDPOINTS));
    let buffers = BufferPool::new(1 << 28);
    let blocks = unpack(&piece, true, &buffers);
    let batches = decode(&mut BlockDecoder::new(DecodeOptions::default()), &blocks);

    let mut group = criterion.benchmark_group("stages");
    group.throughput(Throughput::Elements(ENDPOINTS)).sample_size(20);
    group.bench_function("unpack whole", |bench| bench.iter(|| black_box(unpack(&piece, true, &buffers))));
    group.bench_function("unpack stream", |bench| bench.iter(|| black_box(unpack(&piece, false, &buffers))));
    for (name, slow_path_only) in [("decode", false), ("decode slow path", true)] {
        let mut decoder = BlockDecoder::new(DecodeOptions { slow_path_only, ..DecodeOptions::default() });
        group.bench_function(name, |bench| bench.iter(|| black_box(decode(&mut decoder, &blocks))));
    }
    let country = endpoint_schema().index_of("country").expect("there is such a column");
    for (name, columns) in [("decode two columns", &[0, country][..]), ("decode no column", &[])] {
        let columns = ColumnSelection::of(columns.iter().copied());
        let mut decoder = BlockDecoder::new(DecodeOptions { columns, ..DecodeOptions::default() });
        group.bench_function(name, |bench| bench.iter(|| black_box(decode(&mut decoder, &blocks))));
    }
    let folder = tempfile::tempdir().expect("a temporary folder is made");
    let staging = staging(folder.path());
    for compression in Compression::ALL {
        let options = WriterOptions { compression, ..WriterOptions::default() };
        group.bench_function(format!("write {compression}"), |bench| {
            bench.iter_batched(
                || staging.writer(&options).expect("a data file opens"),
                |mut writer| {
                    for batch in &batches {
                        writer.write(batch).expect("a batch is written");
                    }
                    writer.close().expect("a data file closes")
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
