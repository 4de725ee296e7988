//! Benches of small folders: counts and shapes, never a time.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use pinlake_lake::WriterOptions;
use pinlake_source::{Filter, Source};

use super::*;
use crate::plan::ConvertRequest;
use crate::redact::Redaction;
use crate::rejects::MaxRejects;

fn write_piece(folder: &Path, name: &str, lines: &[String]) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(lines.join("\n").as_bytes()).unwrap();
    std::fs::write(folder.join(name), encoder.finish().unwrap()).unwrap();
}

async fn request(pieces: &Path, scratch: &Path, threads: usize, sample_bytes: u64) -> BenchRequest {
    let limits = Limits::new(threads, None);
    let plan = Plan::make(ConvertRequest {
        tool: "test".to_owned(),
        sources: vec![Source::Path(pieces.to_owned())],
        aws: None,
        filter: Filter::converted().unwrap(),
        lake: scratch.join("unused"),
        snapshot: None,
        replace: false,
        job: None,
        expect_rows: None,
        max_rejects: MaxRejects::Count(0),
        checkpoint_bytes: None,
        redaction: Redaction::default(),
        rejects_raw: true,
        run_id: None,
        writer: WriterOptions::default(),
        limits,
    })
    .await
    .unwrap();
    let one_thread = Limits::new(1, None);
    BenchRequest { plan, one_thread, scratch: scratch.to_owned(), rounds: 2, sample_bytes }
}

/// Ten pieces of the same lines, one of which is no endpoint.
fn ten_pieces(folder: &Path) -> u64 {
    let mut lines: Vec<String> = (0..50).map(|id| format!(r#"{{"Id":"{id}","Address":"a{id}"}}"#)).collect();
    lines.push("nothing".to_owned());
    for piece in 0..10 {
        write_piece(folder, &format!("{piece}.gz"), &lines);
    }
    lines.join("\n").len() as u64
}

#[tokio::test]
async fn everything_is_counted_and_nothing_is_left() {
    let (pieces, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let json_bytes = ten_pieces(pieces.path());
    let mut steps = Vec::new();
    let request = request(pieces.path(), scratch.path(), 2, u64::MAX).await;
    let facts = bench(request, |step| steps.push((step.done, step.total, step.name))).await.unwrap();
    let sample = &facts.sample;
    assert_eq!((sample.listed_pieces, sample.pieces), (10, 10));
    assert_eq!((sample.endpoints, sample.rejects, sample.json_bytes), (500, 10, 10 * json_bytes));
    assert_eq!(sample.stored_bytes, sample.listed_bytes);
    let stages: Vec<_> =
        facts.stages.iter().map(|stage| (stage.stage, stage.threads, stage.rounds.len())).collect();
    let expected = [("fetch", 2), ("unpack", 2), ("decode", 2), ("write", 2), ("whole", 2), ("whole", 1)];
    assert_eq!(stages, expected.map(|(stage, threads)| (stage, threads, 2)));
    assert!(facts.speed_up.is_some() && facts.parquet_bytes > 0);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    assert_eq!((steps.len(), steps[0], steps[8]), (9, (0, 8, "fetch"), (8, 8, "")));

    let estimate = facts.estimate(5_000).unwrap();
    assert_eq!(estimate.stored_bytes, 10 * sample.stored_bytes);
    assert_eq!(estimate.parquet_bytes, 10 * facts.parquet_bytes);
    if let (Some(estimated), Some(peak)) = (estimate.memory_bytes, facts.peak_memory_bytes) {
        assert_eq!(estimated, peak + 8 * 4_500);
    }
}

#[tokio::test]
async fn a_sample_is_of_whole_pieces_and_one_thread_is_not_compared_with_itself() {
    let (pieces, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ten_pieces(pieces.path());
    let piece_bytes = pieces.path().join("0.gz").metadata().unwrap().len();
    for (sample_bytes, expected) in [(3 * piece_bytes + 1, 3), (1, 1), (0, 1)] {
        let request = request(pieces.path(), scratch.path(), 1, sample_bytes).await;
        let facts = bench(request, |_| {}).await.unwrap();
        assert_eq!((facts.sample.listed_pieces, facts.sample.pieces), (10, expected));
        assert_eq!(facts.sample.endpoints, 50 * expected);
        assert_eq!((facts.stages.len(), facts.speed_up), (5, None));
    }
}

#[tokio::test]
async fn a_damaged_piece_is_an_error() {
    let (pieces, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(pieces.path().join("a.gz"), b"no gzip").unwrap();
    let error = bench(request(pieces.path(), scratch.path(), 2, 1 << 20).await, |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Integrity);
}
