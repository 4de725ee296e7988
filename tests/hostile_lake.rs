//! Lakes that somebody has tampered with: data files that are none or claim what cannot be, and logs that name files elsewhere,
//! or are no logs. Each is a clear failure with code 7; nothing panics, hangs, or touches what lies outside of the lake.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaData,
};
use serde_json::json;

use crate::harness::{Room, parquet_rows};

/// A room whose lake holds the snapshot `s` in one data file, beside a file that is nobody's business.
struct Victim {
    room: Room,
    file: PathBuf,
}

/// What the file outside of the lake holds.
const SECRET: &str = "not-for-pinlake";

impl Victim {
    fn new() -> Self {
        let room = Room::new();
        let lines: Vec<String> = (0..40)
            .map(|id| format!("{{\"Id\":\"{id}\",\"Address\":\"a{id}\",\"ChannelType\":\"SMS\"}}"))
            .collect();
        room.write("in.json", lines.join("\n"));
        room.pinlake(&["convert", "in.json", "--snapshot", "s"]).succeeds();
        room.write("more.json", "{\"Id\":\"more\"}");
        fs::write(room.path("outside.parquet"), secret()).unwrap();
        let name = room.lake().live_files().into_iter().next().unwrap();
        let file = room.path("lake/endpoints").join(name);
        Self { room, file }
    }

    fn commit(&self) -> PathBuf {
        self.room.path("lake/endpoints/_delta_log/00000000000000000001.json")
    }

    /// Puts other bytes in the place of the data file, and has the log say their length.
    fn replace_file(&self, bytes: &[u8]) {
        let before = self.file.metadata().unwrap().len();
        fs::write(&self.file, bytes).unwrap();
        self.edit_log(&format!("\"size\":{before}"), &format!("\"size\":{}", bytes.len()));
    }

    fn edit_log(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.commit()).unwrap();
        assert!(text.contains(from), "`{from}` is not in {text}");
        fs::write(self.commit(), text.replace(from, to)).unwrap();
    }

    /// Insists that a command fails as damage, naming that.
    fn refuses(&self, args: &[&str], named: &str) {
        let failed = self.room.pinlake(args).fails(7, &[named]);
        assert!(!failed.stderr.contains(SECRET), "{failed}");
    }

    /// Insists that whatever reads the data file tells of it, and that what does not read it works.
    fn assert_file_is_told(&self, named: &str) {
        self.refuses(&["sql", "SELECT * FROM endpoints"], named);
        self.refuses(&["sql", "SELECT * FROM all_endpoints ORDER BY id", "--threads", "1"], named);
        self.refuses(&["report", "audience-summary"], named);
        self.refuses(&["snapshots", "verify", "--deep"], "snapshot=s/part-00000");
        self.room.pinlake(&["snapshots", "list"]).succeeds();
        self.room.pinlake(&["snapshots", "show"]).succeeds();
        self.room.pinlake(&["convert", "more.json", "--snapshot", "more"]).succeeds();
        self.room.pinlake(&["snapshots", "drop", "more", "--vacuum"]).succeeds();
    }

    /// Insists that nothing works on a log like this, and that nothing happens to the file outside.
    fn assert_log_is_refused(&self, named: &str) {
        for args in [
            &["sql", "SELECT * FROM endpoints"][..],
            &["report", "audience-summary"],
            &["snapshots", "list"],
            &["snapshots", "show"],
            &["snapshots", "verify", "--deep"],
            &["snapshots", "drop", "s", "--vacuum"],
            &["convert", "more.json", "--snapshot", "more"],
            &["convert", "in.json", "--snapshot", "s", "--replace"],
        ] {
            self.refuses(args, named);
        }
        self.assert_outside_is_untouched();
    }

    fn assert_outside_is_untouched(&self) {
        assert_eq!(fs::read(self.room.path("outside.parquet")).unwrap(), secret());
    }
}

/// A Parquet file of other columns.
fn foreign(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn secret() -> Vec<u8> {
    foreign(vec![("id", Arc::new(StringArray::from(vec![SECRET; 40])))])
}

/// A Parquet file with a footer made by hand.
fn with_footer(footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).unwrap().to_le_bytes();
    [b"PAR1", &[0; 100][..], footer, &length, b"PAR1"].concat()
}

#[test]
fn files_that_are_no_parquet() {
    for bytes in
        [&b""[..], b"PAR1", &[0xa5; 5000], b"PAR1 and so on PAR1", &[&[0xff; 64][..], b"PAR1"].concat()]
    {
        let victim = Victim::new();
        victim.replace_file(bytes);
        victim.assert_file_is_told("part-00000");
    }
    let victim = Victim::new();
    let bytes = fs::read(&victim.file).unwrap();
    victim.replace_file(&bytes[..bytes.len() - 100]);
    victim.assert_file_is_told("part-00000");
    fs::remove_file(&victim.file).unwrap();
    fs::create_dir(&victim.file).unwrap();
    victim.assert_file_is_told("part-00000");
}

#[test]
fn parquet_of_other_columns_is_not_taken_for_rows() {
    let texts = || Arc::new(StringArray::from(vec!["x"; 40])) as ArrayRef;
    let numbers = || Arc::new(Int64Array::from(vec![1; 40])) as ArrayRef;
    for columns in [
        vec![("id", texts())],
        vec![("something", numbers())],
        vec![("id", numbers()), ("application_id", texts())],
    ] {
        let victim = Victim::new();
        victim.replace_file(&foreign(columns));
        victim.assert_file_is_told("column");
    }
}

#[test]
fn footers_that_claim_what_cannot_be() {
    let version = [0x15, 0x02];
    let no_columns = [0x19, 0x0c];
    let rows = [0x16, 0x50];
    let two_thousand_million = [0xfc, 0xff, 0xff, 0xff, 0xff, 0x07];
    for footer in [
        // Row groups, columns, rows, and columns within columns.
        [&version[..], &no_columns, &rows, &[0x19], &two_thousand_million].concat(),
        [&version[..], &[0x19], &two_thousand_million].concat(),
        [
            &version[..],
            &no_columns,
            &[0x16, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x19, 0x0c, 0],
        ]
        .concat(),
        [&version[..], &[0x19, 0xfc, 0xa0, 0x8d, 0x06], &[0x55, 0x02, 0x00].repeat(100_000)].concat(),
    ] {
        let victim = Victim::new();
        victim.replace_file(&with_footer(&footer));
        victim.assert_file_is_told("footer");
    }
}

#[test]
fn a_count_of_rows_that_is_not_the_files_is_found() {
    for rows in ["41", "9223372036854775807", "0"] {
        let victim = Victim::new();
        victim.edit_log(r#"\"numRecords\":40"#, &format!(r#"\"numRecords\":{rows}"#));
        victim.refuses(&["snapshots", "verify"], "counts 40 rows in its footer");
        victim.refuses(&["sql", "SELECT count(*) FROM endpoints"], "counts 40 rows in its footer");
        victim.room.pinlake(&["snapshots", "list"]).succeeds();
        victim.room.pinlake(&["convert", "more.json", "--snapshot", "more"]).succeeds();
    }
    let victim = Victim::new();
    victim.edit_log(r#"\"numRecords\":40"#, r#"\"numRecords\":-1"#);
    victim.room.pinlake(&["sql", "SELECT * FROM endpoints"]).succeeds();
}

/// The file with the first dictionary page claiming that much, and everything else as it was.
fn with_dictionary_claim(bytes: &[u8], uncompressed_bytes: i32, values: i32) -> Vec<u8> {
    let metadata =
        ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::copy_from_slice(bytes)).unwrap();
    let group = metadata.row_group(0);
    let (at, chunk) = (0..group.num_columns())
        .map(|at| (at, group.column(at)))
        .find(|(_, chunk)| chunk.dictionary_page_offset().is_some())
        .unwrap();
    let offset = usize::try_from(chunk.dictionary_page_offset().unwrap()).unwrap();
    let end = offset + usize::try_from(chunk.compressed_size()).unwrap();
    let data = usize::try_from(chunk.data_page_offset()).unwrap();
    // PageHeader { 1 type, 2 uncompressed, 3 compressed, 7 dictionary { 1 values, 2 encoding } }
    let mut rest = &bytes[offset..];
    let fields: Vec<u64> = (0..3).map(|_| varint(&mut rest)).collect();
    let body = data - usize::try_from(fields[2] / 2).unwrap();
    let mut header = vec![0x15];
    header.extend(encoded(fields[0]));
    header.push(0x15);
    header.extend(encoded(u64::try_from(uncompressed_bytes).unwrap() * 2));
    header.push(0x15);
    header.extend(encoded(fields[2]));
    header.extend([0x4c, 0x15]);
    header.extend(encoded(u64::try_from(values).unwrap() * 2));
    header.extend([0x15, 0x00, 0x00, 0x00]);

    let footer_bytes =
        u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let mut changed = bytes[..bytes.len() - 8 - footer_bytes].to_vec();
    let place = changed.len();
    changed.extend(&header);
    changed.extend(&bytes[body..end]);
    let chunk = chunk
        .clone()
        .into_builder()
        .set_dictionary_page_offset(Some(i64::try_from(place).unwrap()))
        .set_data_page_offset(i64::try_from(place + header.len() + data - body).unwrap())
        .set_total_compressed_size(i64::try_from(changed.len() - place).unwrap())
        .build()
        .unwrap();
    let mut columns = group.columns().to_vec();
    columns[at] = chunk;
    let group: RowGroupMetaData = group.clone().into_builder().set_column_metadata(columns).build().unwrap();
    let metadata = ParquetMetaData::new(metadata.file_metadata().clone(), vec![group]);
    ParquetMetaDataWriter::new(&mut changed, &metadata).finish().unwrap();
    changed
}

/// The number behind a field's header.
fn varint(rest: &mut &[u8]) -> u64 {
    let mut value = 0;
    for (at, byte) in rest[1..].iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *rest = &rest[at + 2..];
            return value;
        }
    }
    panic!("a number without an end");
}

fn encoded(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
    bytes
}

#[test]
fn dictionaries_that_claim_what_cannot_be() {
    let original = fs::read(Victim::new().file).unwrap();
    for (uncompressed, values) in [(i32::MAX, 1), (100, i32::MAX), (i32::MAX, i32::MAX)] {
        let victim = Victim::new();
        victim.replace_file(&with_dictionary_claim(&original, uncompressed, values));
        // Whoever reads that column is told; reports that do not need it are as they were.
        victim.refuses(&["sql", "SELECT * FROM endpoints"], "endpoints");
        victim.refuses(&["sql", "SELECT * FROM all_endpoints ORDER BY id", "--threads", "1"], "endpoints");
        victim.refuses(&["snapshots", "verify", "--deep"], "snapshot=s/part-00000");
        // Without a hash that gives it away the values are read, whatever comes of it.
        fs::remove_file(victim.room.path("lake/runs/s/run.json")).unwrap();
        victim.refuses(&["snapshots", "verify", "--deep"], "runs/s/run.json");
    }
}

#[test]
fn paths_that_lead_out_of_the_lake() {
    let outside = Victim::new();
    let absolute = outside.room.path("outside.parquet");
    let absolute = absolute.to_str().unwrap();
    for path in [
        "../../outside.parquet".to_owned(),
        "snapshot=s/../../../outside.parquet".to_owned(),
        "snapshot=s/%2e%2e/%2E%2E/../outside.parquet".to_owned(),
        "%2e%2e/%2e%2e/outside.parquet".to_owned(),
        absolute.to_owned(),
        absolute.replace('/', "%2F"),
        format!("file://{absolute}"),
        format!("file:{absolute}"),
        "s3://bucket/outside.parquet".to_owned(),
        "https://127.0.0.1:1/outside.parquet".to_owned(),
    ] {
        let victim = Victim::new();
        let name = victim.room.lake().live_files().into_iter().next().unwrap();
        let bytes = secret().len();
        let before = victim.file.metadata().unwrap().len();
        victim.edit_log(&format!("\"path\":\"{name}\""), &format!("\"path\":\"{path}\""));
        victim.edit_log(&format!("\"size\":{before}"), &format!("\"size\":{bytes}"));
        victim.assert_log_is_refused("lies outside");
        assert!(victim.file.exists(), "{path}");
    }
    outside.assert_outside_is_untouched();
}

#[cfg(unix)]
#[test]
fn links_in_the_place_of_what_is_the_lakes_own() {
    use std::os::unix::fs::symlink;
    // The data file is elsewhere, as it was.
    let victim = Victim::new();
    let aside = victim.room.path("aside.parquet");
    fs::rename(&victim.file, &aside).unwrap();
    symlink(&aside, &victim.file).unwrap();
    victim.assert_file_is_told("link");
    victim.room.pinlake(&["convert", "more.json", "--snapshot", "s", "--replace"]).succeeds();
    assert_eq!(parquet_rows(&aside).len(), 40);
    assert_eq!(victim.room.lake().ids("s"), ["more"]);

    // Its folder is.
    let victim = Victim::new();
    let folder = victim.file.parent().unwrap();
    let aside = victim.room.path("aside");
    fs::rename(folder, &aside).unwrap();
    symlink(&aside, folder).unwrap();
    victim.refuses(&["sql", "SELECT * FROM endpoints"], "link");
    victim.refuses(&["snapshots", "verify"], "link");
    victim.refuses(&["convert", "more.json", "--snapshot", "s", "--replace"], "link");
    victim.room.pinlake(&["snapshots", "drop", "s", "--vacuum"]).succeeds();
    assert_eq!(fs::read_dir(&aside).unwrap().count(), 1);

    // The runs are.
    let victim = Victim::new();
    let runs = victim.room.path("lake/runs");
    fs::rename(runs.join("s"), victim.room.path("run")).unwrap();
    symlink(victim.room.path("run"), runs.join("s")).unwrap();
    victim.refuses(&["snapshots", "show"], "link");
    victim.refuses(&["snapshots", "verify"], "link");
    fs::remove_file(runs.join("s")).unwrap();
    fs::remove_dir(&runs).unwrap();
    symlink(victim.room.path("run"), &runs).unwrap();
    victim.assert_log_is_refused("link");
    assert_eq!(fs::read_dir(victim.room.path("run")).unwrap().count(), 2);

    // The log is.
    let victim = Victim::new();
    let log = victim.room.path("lake/endpoints/_delta_log");
    fs::rename(&log, victim.room.path("log")).unwrap();
    symlink(victim.room.path("log"), &log).unwrap();
    victim.assert_log_is_refused("link");
}

#[cfg(unix)]
#[test]
fn pipes_are_not_waited_for() {
    let pipe = |path: &Path| {
        let _ = fs::remove_file(path);
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let victim = Victim::new();
    pipe(&victim.file);
    victim.assert_file_is_told("part-00000");
    let victim = Victim::new();
    pipe(&victim.room.path("lake/runs/s/run.json"));
    victim.refuses(&["snapshots", "show"], "run.json");
    victim.refuses(&["snapshots", "verify"], "run.json");
    pipe(&victim.room.path("lake/runs/s/rejects.ndjson"));
    victim.refuses(&["snapshots", "verify"], "run.json");
    victim.room.pinlake(&["sql", "SELECT * FROM endpoints"]).succeeds();
    pipe(&victim.commit());
    victim.assert_log_is_refused("Delta log");
}

#[test]
fn logs_that_are_none() {
    let deep = "[".repeat(200_000);
    for text in [
        String::new(),
        "no log".to_owned(),
        "{\"add\":{\"path\":\"x\"".to_owned(),
        "{\"add\":7}".to_owned(),
        "{\"add\":{\"path\":\"x\",\"size\":\"much\"}}".to_owned(),
        format!("{{\"add\":{deep}"),
        format!("{{\"unknown\":{deep}"),
        format!("{{\"unknown\":{deep}{}}}", "]".repeat(200_000)),
    ] {
        let victim = Victim::new();
        fs::write(victim.commit(), &text).unwrap();
        let shown: String = text.chars().take(40).collect();
        // An empty commit, or one of nothing that is known, is none for some readers; its files are then nobody's.
        let ran = victim.room.pinlake(&["snapshots", "verify"]).run();
        assert_eq!(ran.code, Some(7), "{shown}: {ran}");
        for args in [&["sql", "SELECT * FROM endpoints"][..], &["convert", "more.json", "--snapshot", "more"]]
        {
            let ran = victim.room.pinlake(args).run();
            assert!(matches!(ran.code, Some(0 | 7)), "{shown}: {ran}");
        }
    }
}

#[test]
fn entries_of_a_hundred_megabytes() {
    let long = "a".repeat(100_000_000);
    let victim = Victim::new();
    let name = victim.room.lake().live_files().into_iter().next().unwrap();
    victim.edit_log(&name, &format!("snapshot=s/{long}"));
    victim.refuses(&["snapshots", "list"], "it names a file by");
    victim.refuses(&["snapshots", "verify"], "it names a file by");
    victim.refuses(&["sql", "SELECT * FROM endpoints"], "it names a file by");
}

#[test]
fn checkpoints_that_are_garbage() {
    let pointer = json!({ "version": 1, "size": 3 }).to_string();
    for (checkpoint, pointer) in [
        (&b"garbage"[..], pointer.as_str()),
        (b"PAR1 and so on PAR1", pointer.as_str()),
        (&with_footer(&[0x15, 0x02, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]), pointer.as_str()),
    ] {
        let victim = Victim::new();
        let log = victim.room.path("lake/endpoints/_delta_log");
        fs::write(log.join("00000000000000000001.checkpoint.parquet"), checkpoint).unwrap();
        fs::write(log.join("_last_checkpoint"), pointer).unwrap();
        victim.assert_log_is_refused("Delta log");
    }
    // A pointer that is none is passed over: the commits are there.
    let victim = Victim::new();
    fs::write(victim.room.path("lake/endpoints/_delta_log/_last_checkpoint"), "garbage").unwrap();
    let ran = victim.room.pinlake(&["snapshots", "verify"]).run();
    assert!(matches!(ran.code, Some(0 | 7)), "{ran}");
    assert!(File::open(&victim.file).is_ok());
}
