//! The two ends of the way: how pieces come in, and how reports go out.
//!
//! `cargo bench --bench ends` fetches pieces from files and from an S3 on loopback (20 large ones and 500 small ones, the server
//! on the same cores), and opens a lake of 50,000 endpoints and runs reports on it. `benches/stages.rs` measures what is between.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pinlake_ingest::{ConvertRequest, Limits, MaxRejects, Plan, Progress, Redaction, Stop, convert};
use pinlake_lake::{Lake, WriterOptions};
use pinlake_local::{LocalOptions, LocalServer, Population, PopulationOptions};
use pinlake_report::{Catalogue, LakeTables, RunFacts, Session, SessionOptions, TableFile, run};
use pinlake_source::{Aws, AwsOptions, FetchLimits, Filter, Piece, Source, StaticCredentials, fetch};
use tokio::runtime::Runtime;

const ENDPOINTS: u64 = 50_000;
const THREADS: usize = 2;

/// Reports of different kinds: one pass, groups of many users, maps taken apart, and a join.
const REPORTS: [&str; 4] = ["completeness", "channel-overlap", "attribute-catalogue", "geography"];

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build()
        .expect("a runtime starts")
}

fn population() -> Population {
    Population::new(PopulationOptions { endpoints: ENDPOINTS, ..PopulationOptions::default() })
}

/// A connection to a local S3.
async fn connect(server: &LocalServer) -> Aws {
    let keys = server.credentials();
    Aws::connect(&AwsOptions {
        region: Some(server.region().to_owned()),
        s3_endpoint_url: Some(server.s3_url()),
        static_credentials: Some(StaticCredentials {
            access_key_id: keys.access_key_id.clone(),
            secret_access_key: keys.secret_access_key.clone(),
        }),
        ..AwsOptions::default()
    })
    .await
}

/// Measures reading all pieces at a source and dropping them.
fn bench_fetch(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    runtime: &Runtime,
    at: (&str, Option<&Aws>),
) {
    let (place, aws) = at;
    let source: Source = place.parse().expect("the place is one");
    let filter = Filter::converted().expect("the patterns are sound");
    let listing = runtime.block_on(source.list(aws, &filter)).expect("the pieces are listed");
    let pieces: Arc<[Piece]> = listing.pieces.into();
    group.throughput(Throughput::Bytes(pieces.iter().map(|piece| piece.size).sum()));
    group.bench_function(name, |bench| {
        bench.iter(|| {
            runtime.block_on(async {
                let mut fetch = fetch(aws.cloned(), Arc::clone(&pieces), FetchLimits::default());
                while let Some(body) = fetch.next().await {
                    let mut body = body.expect("the piece is there");
                    while let Some(chunk) = body.next_chunk().await {
                        black_box(chunk.expect("the piece is as listed"));
                    }
                }
            });
        });
    });
}

fn fetching(criterion: &mut Criterion) {
    let runtime = runtime();
    let server = runtime.block_on(LocalServer::start(LocalOptions::default())).expect("a server starts");
    let aws = runtime.block_on(connect(&server));
    let folder = tempfile::tempdir().expect("a temporary folder is made");
    let mut group = criterion.benchmark_group("fetch");
    group.sample_size(10);
    let population = population();
    for (size, piece_count, endpoints) in [("large", 20, ENDPOINTS), ("small", 500, ENDPOINTS / 50)] {
        let pieces = population.pieces(piece_count);
        for (number, range) in pieces.into_iter().enumerate() {
            let end = range.start + (range.end - range.start) * endpoints / ENDPOINTS;
            let bytes = population.piece(range.start..end);
            let name = format!("{size}/{number:05}.gz");
            let path = folder.path().join(&name);
            std::fs::create_dir_all(path.parent().unwrap_or(folder.path())).expect("a folder is made");
            std::fs::write(path, &bytes).expect("a piece is written");
            server.store().put(server.bucket(), &name, bytes).expect("a piece is stored");
        }
        let files = folder.path().join(size);
        bench_fetch(&mut group, &format!("files {size}"), &runtime, (&files.to_string_lossy(), None));
        let url = format!("s3://{}/{size}/", server.bucket());
        bench_fetch(&mut group, &format!("s3 {size}"), &runtime, (&url, Some(&aws)));
    }
    group.finish();
    runtime.block_on(server.stop());
}

/// Converts an audience into a lake below `folder`.
async fn make_lake(folder: &Path) -> Lake {
    let (pieces, lake) = (folder.join("pieces"), folder.join("lake"));
    population().write_pieces(&pieces, 4, THREADS, &|_| {}).expect("the pieces are written");
    let plan = Plan::make(ConvertRequest {
        tool: "bench".to_owned(),
        sources: vec![Source::Path(pieces)],
        aws: None,
        filter: Filter::converted().expect("the patterns are sound"),
        lake: lake.clone(),
        snapshot: None,
        replace: false,
        job: None,
        expect_rows: Some(ENDPOINTS),
        max_rejects: MaxRejects::Count(0),
        redaction: Redaction::default(),
        rejects_raw: true,
        run_id: None,
        writer: WriterOptions::default(),
        checkpoint_bytes: None,
        limits: Limits::new(THREADS, None),
    })
    .await
    .expect("the pieces are listed");
    convert(plan, Arc::new(Progress::default()), Stop::default()).await.expect("the pieces are converted");
    Lake::open(&lake).await.expect("the lake opens")
}

/// The facts that a session stands on, as the command line carries them over.
fn tables(lake: &Lake) -> LakeTables {
    let files = lake.data_files(None).expect("the log names its files").into_iter().map(|file| TableFile {
        path: file.path,
        bytes: file.bytes,
        rows: file.rows,
        snapshot: file.snapshot.to_string(),
    });
    let selected = lake.latest().map(|snapshot| snapshot.id.to_string());
    LakeTables {
        schema: lake.schema(),
        files: files.collect(),
        snapshots: Vec::new(),
        selected,
        run: RunFacts::default(),
    }
}

async fn open(tables: LakeTables) -> Session {
    let options = SessionOptions { threads: THREADS, ..SessionOptions::default() };
    Session::open(tables, options).await.expect("a session opens")
}

fn reports(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().expect("a temporary folder is made");
    let tables = tables(&runtime.block_on(make_lake(folder.path())));
    let catalogue = Catalogue::builtin().expect("the templates are sound");
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10);
    group.bench_function("open", |bench| {
        bench.iter(|| runtime.block_on(open(tables.clone())));
    });
    let session = runtime.block_on(open(tables));
    group.throughput(Throughput::Elements(ENDPOINTS));
    for name in REPORTS {
        let template = catalogue.get(name).expect("the report is built in");
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let report = runtime.block_on(run(&session, template, &BTreeMap::new()));
                black_box(report.expect("the report runs"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, fetching, reports);
criterion_main!(benches);
