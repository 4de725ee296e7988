//! Data files as other readers see them, and the facts about them.

use std::fs::{self, File};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression as Codec, Encoding, Type};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::statistics::Statistics;
use sha2::{Digest as _, Sha256};
use tempfile::tempdir;

use crate::fixture::{batch, foreign_batch, id, schema};
use crate::{Compression, DataFile, DataFileWriter, LakeError, WriterOptions};

fn write(folder: &std::path::Path, options: &WriterOptions, rows: &[usize]) -> DataFile {
    let mut writer =
        DataFileWriter::create(folder, "f.parquet".to_owned(), id("x"), schema(), options).unwrap();
    for rows in rows {
        writer.write(&batch("a", *rows)).unwrap();
    }
    writer.close().unwrap()
}

#[test]
fn the_facts_are_those_of_the_file() {
    let folder = tempdir().unwrap();
    let file = write(folder.path(), &WriterOptions::default(), &[10, 0, 5]);
    let bytes = fs::read(folder.path().join("f.parquet")).unwrap();
    assert_eq!(file.rows(), 15);
    assert_eq!(file.bytes(), bytes.len() as u64);
    let digest: Vec<u8> = Sha256::digest(&bytes).to_vec();
    let stated = (0..64).step_by(2).map(|at| u8::from_str_radix(&file.sha256()[at..at + 2], 16).unwrap());
    assert_eq!(stated.collect::<Vec<_>>(), digest);
    assert_eq!(file.path(), "endpoints/snapshot=x/f.parquet");
    let stats: serde_json::Value = serde_json::from_str(&file.stats_json()).unwrap();
    assert_eq!(stats["numRecords"], 15);
    assert_eq!(stats["nullCount"]["creation_date"], 6);
    assert_eq!(stats["minValues"]["creation_date"], "2020-09-13T12:26:40.001Z");
    assert_eq!(stats["maxValues"]["creation_date"], "2020-09-13T12:26:40.008Z");
    assert!(stats["minValues"].get("id").is_none());
}

#[test]
fn a_row_group_has_as_many_rows_as_asked_for() {
    let folder = tempdir().unwrap();
    let options = WriterOptions { row_group_rows: 100, ..WriterOptions::default() };
    write(folder.path(), &options, &[250]);
    let reader = SerializedFileReader::new(File::open(folder.path().join("f.parquet")).unwrap()).unwrap();
    let rows: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [100, 100, 50]);
}

#[test]
fn a_row_group_that_holds_too_much_ends_before_its_rows() {
    let folder = tempdir().unwrap();
    let options = WriterOptions { row_group_bytes: 1, ..WriterOptions::default() };
    let file = write(folder.path(), &options, &[250, 30]);
    assert_eq!(file.rows(), 280);
    let reader = SerializedFileReader::new(File::open(folder.path().join("f.parquet")).unwrap()).unwrap();
    let rows: Vec<_> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(rows, [250, 30]);
}

#[test]
fn no_trace_of_arrow_is_in_the_file() {
    let folder = tempdir().unwrap();
    write(folder.path(), &WriterOptions::default(), &[10]);
    let reader = SerializedFileReader::new(File::open(folder.path().join("f.parquet")).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    assert_eq!(metadata.version(), 1);
    let keys = metadata.key_value_metadata().map(Vec::len).unwrap_or_default();
    assert_eq!(keys, 0, "no ARROW:schema");
    let columns = metadata.schema_descr().columns();
    let paths: Vec<_> = columns.iter().map(|column| column.path().string()).collect();
    assert!(paths.contains(&"attributes.key_value.value.list.element".to_owned()), "{paths:?}");
    let channel = columns.iter().find(|column| column.name() == "channel_type").unwrap();
    assert_eq!(channel.physical_type(), Type::BYTE_ARRAY);
}

#[test]
fn columns_are_encoded_as_their_values_ask_for() {
    let folder = tempdir().unwrap();
    for (compression, codec) in
        [(Compression::Snappy, Codec::SNAPPY), (Compression::None, Codec::UNCOMPRESSED)]
    {
        let options = WriterOptions { compression, ..WriterOptions::default() };
        write(folder.path(), &options, &[1000]);
        let path = folder.path().join("f.parquet");
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        let group = reader.metadata().row_group(0);
        let chunk = |name: &str| {
            group.columns().iter().find(|chunk| chunk.column_path().string() == name).unwrap().clone()
        };
        assert_eq!(chunk("id").compression(), codec);
        assert!(chunk("id").dictionary_page_offset().is_none());
        assert!(chunk("id").encodings().any(|encoding| encoding == Encoding::DELTA_LENGTH_BYTE_ARRAY));
        let (date, city) = (chunk("creation_date"), chunk("city"));
        assert_eq!(date.statistics().and_then(Statistics::null_count_opt), Some(334));
        assert_eq!(city.statistics().and_then(Statistics::null_count_opt), Some(500));
        assert_eq!(city.statistics().and_then(|known| known.min_bytes_opt()), None, "no text in footers");
        assert!(chunk("channel_type").dictionary_page_offset().is_some());
        assert!(chunk("channel_type").encodings().any(|encoding| encoding == Encoding::RLE_DICTIONARY));
        assert!(chunk("line").encodings().any(|encoding| encoding == Encoding::DELTA_BINARY_PACKED));
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn text_may_come_by_dictionary_where_the_lake_has_it_plain() {
    let folder = tempdir().unwrap();
    let batch = batch("a", 10);
    let index = batch.schema().index_of("city").unwrap();
    let of = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut columns = batch.columns().to_vec();
    columns[index] = cast(&columns[index], &of).unwrap();
    let mut fields = batch.schema().fields().to_vec();
    fields[index] = Arc::new(Field::new("city", of, true));
    let by_dictionary = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let options = WriterOptions::default();
    let mut writer =
        DataFileWriter::create(folder.path(), "f.parquet".to_owned(), id("x"), schema(), &options).unwrap();
    writer.write(&by_dictionary).unwrap();
    writer.write(&batch).unwrap();
    assert_eq!(writer.close().unwrap().rows(), 20);
    let file = File::open(folder.path().join("f.parquet")).unwrap();
    let read = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let read = read.map(Result::unwrap).next().unwrap();
    let cities = read.column_by_name("city").unwrap();
    let expected = batch.column(index);
    let twice = concat(&[expected.as_ref(), expected.as_ref()]).unwrap();
    assert_eq!(cities, &twice);
}

#[test]
fn a_batch_of_other_columns_is_refused() {
    let folder = tempdir().unwrap();
    let options = WriterOptions::default();
    let mut writer =
        DataFileWriter::create(folder.path(), "f.parquet".to_owned(), id("x"), schema(), &options).unwrap();
    let error = writer.write(&foreign_batch()).unwrap_err();
    assert!(matches!(error, LakeError::SchemaMismatch { .. }), "{error}");
    writer.write(&batch("a", 1)).unwrap();
    assert_eq!(writer.close().unwrap().rows(), 1);
}

#[test]
fn a_writer_says_what_it_holds() {
    let folder = tempdir().unwrap();
    let options = WriterOptions { row_group_rows: 100, ..WriterOptions::default() };
    let mut writer =
        DataFileWriter::create(folder.path(), "f.parquet".to_owned(), id("x"), schema(), &options).unwrap();
    writer.write(&batch("a", 99)).unwrap();
    let (written, buffered) = (writer.written_bytes(), writer.buffered_bytes());
    assert!(buffered > 0);
    writer.write(&batch("a", 1)).unwrap();
    assert!(writer.written_bytes() > written && writer.buffered_bytes() < buffered);
    assert_eq!(writer.rows(), 100);
}
