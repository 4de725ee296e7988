//! Scans of folders: which rows come, in which order, how far a limit reads, and what ends them.

use std::io::Write as _;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::*;
use crate::ErrorKind;

const ID: usize = 0;

fn position(name: &str) -> usize {
    pinlake_decode::endpoint_schema().index_of(name).unwrap()
}

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn lines(ids: std::ops::Range<usize>) -> String {
    let line = |id| format!("{{\"Id\":\"{id}\",\"Address\":\"a{id}@example.com\"}}\n");
    ids.map(line).collect::<Vec<String>>().concat()
}

async fn list(folder: &Path, limits: Limits) -> Scan {
    let source = Source::Path(folder.to_owned());
    let filter = Filter::converted().unwrap();
    Scan::list(ScanRequest { source, aws: None, filter, limits }).await.unwrap()
}

/// All rows of one part, with the number of batches.
async fn ids(part: &ScanPart) -> Result<Vec<String>, IngestError> {
    let mut ids = Vec::new();
    let mut rows = part.rows();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        assert!(batch.num_rows() > 0);
        ids.extend(batch.column(0).as_string::<i32>().iter().map(|id| id.unwrap().to_owned()));
    }
    assert!(rows.next().await.is_none());
    Ok(ids)
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn rows_come_in_order_however_pieces_are_stored_and_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.gz"), gzip(&lines(0..3_000))).unwrap();
    std::fs::write(folder.path().join("b.ndjson"), lines(3_000..40_000)).unwrap();
    std::fs::write(folder.path().join("c.gz"), gzip("")).unwrap();
    std::fs::write(folder.path().join("d.json"), "").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
    // Small chunks and blocks, so that pieces come in many of both.
    let mut limits = Limits::new(2, None);
    limits.unpack.block_bytes = 10_000;
    limits.fetch.whole_piece_bytes = 20_000;
    limits.fetch.chunk_bytes = 30_000;
    let scan = list(folder.path(), limits).await;
    assert_eq!(scan.skipped().len(), 1);
    let parts = scan.parts(ColumnSelection::of([ID]), None, 1).unwrap();
    assert_eq!(parts.len(), 1);
    assert_eq!(ids(&parts[0]).await.unwrap(), numbers(0..40_000));
    assert_eq!(ids(&parts[0]).await.unwrap(), numbers(0..40_000));
}

#[tokio::test]
async fn parts_hold_every_row_once() {
    let folder = tempfile::tempdir().unwrap();
    for piece in 0..7 {
        let range = piece * 100..(piece + 1) * 100;
        std::fs::write(folder.path().join(format!("{piece}.gz")), gzip(&lines(range))).unwrap();
    }
    let scan = list(folder.path(), Limits::new(3, None)).await;
    let parts = scan.parts(ColumnSelection::of([ID]), None, 8).unwrap();
    assert_eq!(parts.len(), 3);
    let mut all = Vec::new();
    for part in &parts {
        let ids = ids(part).await.unwrap();
        assert!(ids.len() >= 200);
        all.extend(ids);
    }
    all.sort_by_key(|id| id.parse::<usize>().unwrap());
    assert_eq!(all, numbers(0..700));
}

#[tokio::test]
async fn a_limit_reads_the_first_rows_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.ndjson"), lines(0..50_000)).unwrap();
    // Whoever reads on to this one fails.
    std::fs::write(folder.path().join("b.gz"), "no gzip").unwrap();
    let scan = list(folder.path(), Limits::new(2, None)).await;
    for limit in [0, 1, 10, 9_999, 30_000] {
        let parts = scan.parts(ColumnSelection::of([ID]), Some(limit), 8).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(ids(&parts[0]).await.unwrap(), numbers(0..limit));
    }
    let parts = scan.parts(ColumnSelection::of([ID]), Some(60_000), 8).unwrap();
    let error = ids(&parts[0]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("b.gz"), "{error}");
}

#[tokio::test]
async fn rejected_lines_are_counted_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.gz"), gzip("{\"Id\":\"0\"}\n\n[1]\n{\"Id\":\"1\"}\nx")).unwrap();
    let scan = list(folder.path(), Limits::new(1, None)).await;
    let parts = scan.parts(ColumnSelection::of([position("line")]), None, 1).unwrap();
    let batch = parts[0].rows().next().await.unwrap().unwrap();
    assert_eq!(batch.column(0).as_primitive::<Int64Type>().values(), &[1, 4]);
    let rejected = scan.rejected();
    assert_eq!(rejected.lines, 2);
    assert_eq!(rejected.example.as_deref(), Some("piece `a.gz`, line 3: not a JSON object but a JSON array"));
}

#[tokio::test]
async fn dropping_the_rows_ends_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    for piece in 0..20 {
        std::fs::write(folder.path().join(format!("{piece:02}.ndjson")), lines(0..20_000)).unwrap();
    }
    let scan = list(folder.path(), Limits::new(2, None)).await;
    let parts = scan.parts(ColumnSelection::of([]), None, 1).unwrap();
    let mut rows = parts[0].rows();
    assert_eq!(rows.next().await.unwrap().unwrap().num_columns(), 0);
    // The task waits for room by now or soon, and holds on to the work.
    assert!(Arc::strong_count(&parts[0].work) > 1);
    drop(rows);
    let ended = async {
        while Arc::strong_count(&parts[0].work) > 1 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap();
}

#[test]
fn pieces_are_dealt_by_their_bytes_in_order() {
    let piece = |(name, size): (&str, u64)| Piece {
        name: name.to_owned(),
        size,
        etag: None,
        location: pinlake_source::Location::File(name.into()),
    };
    let pieces: Vec<Piece> = [("a", 9), ("b", 2), ("c", 3), ("d", 0), ("e", 5)].map(piece).into();
    let dealt = deal(&pieces, 2);
    let names = |part: &[Piece]| part.iter().map(|piece| piece.name.clone()).collect::<String>();
    assert_eq!([names(&dealt[0]), names(&dealt[1])], ["a", "bcde"]);
    assert_eq!(deal(&pieces, 9).len(), 5);
    assert!(deal(&[], 3).is_empty());
}
