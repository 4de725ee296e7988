//! What is written reads back as what the Parquet crate's own writer writes of the same rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, MapArray, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Fields, Schema};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::statistics::Statistics;
use proptest::prelude::*;

use super::Limits;
use crate::writer::file::Prepared;
use crate::writer::hashing::HashingFile;
use crate::{Compression, WriterOptions};

/// Something that may be there. Where it is not, Arrow arrays hold the value all the same, and nobody may look at it.
type Maybe<T> = (bool, T);
/// A number in [`texts`].
type Text = usize;
type Lists = Maybe<Vec<(Text, Maybe<Vec<Maybe<Text>>>)>>;
type Numbers = Maybe<Vec<(Text, Maybe<f64>)>>;

#[derive(Debug, Clone)]
struct Row {
    id: Maybe<Text>,
    label: Maybe<Text>,
    date: Maybe<i64>,
    latitude: Maybe<f64>,
    attributes: Lists,
    metrics: Numbers,
    piece: Text,
    line: i64,
}

/// How the texts of a batch are held.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    /// One dictionary in the same memory for all batches.
    Shared,
    /// A dictionary that was made for the batch, and begins like those of others.
    Prefix,
    /// A dictionary of another order, with entries twice and entries without use.
    Odd,
    /// As `Plain` and `Odd`, and a null in the dictionary itself.
    NullEntry,
}

fn texts() -> Vec<String> {
    (0..300).map(|n| if n == 7 { String::new() } else { "ä".repeat(n % 5) + &n.to_string() }).collect()
}

struct Builder {
    form: Form,
    shared: ArrayRef,
}

impl Builder {
    fn text(&self, values: &[Maybe<Text>]) -> ArrayRef {
        let pool = texts();
        let nulls = values.iter().map(|value| value.0).collect::<NullBuffer>();
        let keys = |key: &dyn Fn(usize, Text) -> usize, nulls: NullBuffer| {
            let keys = values.iter().enumerate().map(|(at, value)| i32::try_from(key(at, value.1)).unwrap());
            Int32Array::new(keys.collect::<Vec<_>>().into(), Some(nulls))
        };
        let largest = values.iter().map(|value| value.1 + 1).max().unwrap_or_default();
        let of = |keys, values| Arc::new(DictionaryArray::new(keys, values));
        match self.form {
            Form::Plain => {
                let offsets = OffsetBuffer::from_lengths(values.iter().map(|value| pool[value.1].len()));
                let bytes: String = values.iter().map(|value| pool[value.1].as_str()).collect();
                Arc::new(StringArray::new(offsets, Buffer::from_vec(bytes.into_bytes()), Some(nulls)))
            }
            Form::Shared => of(keys(&|_, text| text, nulls), Arc::clone(&self.shared)),
            Form::Prefix => {
                let entries = StringArray::from_iter_values(&pool[..largest]);
                of(keys(&|_, text| text, nulls), Arc::new(entries))
            }
            Form::Odd => {
                let twice = StringArray::from_iter_values(pool.iter().rev().chain(pool.iter()));
                let key = |at: usize, text| {
                    if at.is_multiple_of(2) { pool.len() - 1 - text } else { pool.len() + text }
                };
                of(keys(&key, nulls), Arc::new(twice))
            }
            Form::NullEntry => {
                let entries: StringArray = pool.iter().map(Some).chain([None]).collect();
                let key = |at: usize, text| if values[at].0 { text } else { pool.len() };
                let all = NullBuffer::new_valid(values.len());
                of(keys(&key, all), Arc::new(entries))
            }
        }
    }

    /// With `null` where it is not said to be otherwise.
    fn map(keys: ArrayRef, values: ArrayRef, rows: impl Iterator<Item = (bool, usize)>) -> ArrayRef {
        let (valid, lengths): (Vec<bool>, Vec<usize>) = rows.unzip();
        let fields = Fields::from(vec![
            Field::new("key", keys.data_type().clone(), false),
            Field::new("value", values.data_type().clone(), true),
        ]);
        let entries = StructArray::new(fields, vec![keys, values], None);
        let field = Arc::new(Field::new("key_value", entries.data_type().clone(), false));
        let nulls = Some(NullBuffer::from(valid));
        Arc::new(MapArray::new(field, OffsetBuffer::from_lengths(lengths), entries, nulls, false))
    }

    fn lists(&self, lists: &[Lists]) -> ArrayRef {
        let entries = || lists.iter().flat_map(|list| &list.1);
        let keys: Vec<Maybe<Text>> = entries().map(|entry| (true, entry.0)).collect();
        let items: Vec<Maybe<Text>> = entries().flat_map(|entry| entry.1.1.clone()).collect();
        let items = self.text(&items);
        let item = Arc::new(Field::new("element", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(entries().map(|entry| entry.1.1.len()));
        let valid = entries().map(|entry| entry.1.0).collect::<NullBuffer>();
        let values = Arc::new(ListArray::new(item, offsets, items, Some(valid)));
        Self::map(self.text(&keys), values, lists.iter().map(|list| (list.0, list.1.len())))
    }

    fn numbers(&self, numbers: &[Numbers]) -> ArrayRef {
        let entries = || numbers.iter().flat_map(|map| &map.1);
        let keys: Vec<Maybe<Text>> = entries().map(|entry| (true, entry.0)).collect();
        let values = floats(&entries().map(|entry| entry.1).collect::<Vec<_>>());
        Self::map(self.text(&keys), values, numbers.iter().map(|map| (map.0, map.1.len())))
    }

    fn batch(&self, rows: &[Row]) -> RecordBatch {
        fn of<T>(rows: &[Row], of: impl Fn(&Row) -> T) -> Vec<T> {
            rows.iter().map(of).collect()
        }
        let dates = of(rows, |row| row.date);
        let valid = NullBuffer::from(BooleanBuffer::collect_bool(rows.len(), |at| dates[at].0));
        let dates: ScalarBuffer<i64> = dates.into_iter().map(|date| date.1).collect();
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            (
                "id",
                Self { form: Form::Plain, shared: Arc::clone(&self.shared) }.text(&of(rows, |row| row.id)),
                true,
            ),
            ("label", self.text(&of(rows, |row| row.label)), true),
            ("date", Arc::new(TimestampMicrosecondArray::new(dates, Some(valid)).with_timezone("UTC")), true),
            ("latitude", floats(&of(rows, |row| row.latitude)), true),
            ("attributes", self.lists(&of(rows, |row| row.attributes.clone())), true),
            ("metrics", self.numbers(&of(rows, |row| row.metrics.clone())), true),
            ("piece", self.text(&of(rows, |row| (true, row.piece))), false),
            ("line", Arc::new(Int64Array::from(of(rows, |row| row.line))), false),
        ];
        let fields = columns
            .iter()
            .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable));
        let schema = Schema::new(fields.collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|column| column.1).collect()).unwrap()
    }
}

fn floats(values: &[Maybe<f64>]) -> ArrayRef {
    let nulls = values.iter().map(|value| value.0).collect::<NullBuffer>();
    Arc::new(Float64Array::new(values.iter().map(|value| value.1).collect(), Some(nulls)))
}

fn maybe<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Maybe<T>> {
    (prop::bool::weighted(0.8), value)
}

/// Often one of a few texts, so that there are runs, and sometimes any.
fn text() -> impl Strategy<Value = Text> {
    prop_oneof![4 => 5..8usize, 1 => 0..300usize]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![4 => (0..5i32).prop_map(f64::from), 1 => -9e9..9e9, 1 => Just(-0.0), 1 => Just(f64::MIN_POSITIVE)]
}

fn row() -> impl Strategy<Value = Row> {
    let items = prop::collection::vec(maybe(text()), 0..4);
    let attributes = maybe(prop::collection::vec((text(), maybe(items)), 0..4));
    let metrics = maybe(prop::collection::vec((text(), maybe(float())), 0..4));
    let date = prop_oneof![any::<i64>(), 0..99i64];
    let flat = (maybe(text()), maybe(text()), maybe(date), maybe(float()), text(), any::<i64>());
    (flat, attributes, metrics).prop_map(|((id, label, date, latitude, piece, line), attributes, metrics)| {
        Row { id, label, date, latitude, attributes, metrics, piece, line }
    })
}

/// Rows, each several times, of which a part is to be written.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let repeated = (row(), prop_oneof![3 => Just(1usize), 1 => 1..40usize]);
    prop::collection::vec(repeated, 0..30)
        .prop_map(|rows| rows.into_iter().flat_map(|(row, times)| std::iter::repeat_n(row, times)).collect())
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![
        4 => Just(Form::Shared),
        3 => Just(Form::Prefix),
        3 => Just(Form::Odd),
        1 => Just(Form::Plain),
        1 => Just(Form::NullEntry),
    ]
}

/// The rows of a file as the crate's reader sees them, and the lengths of its row groups.
fn read(file: std::fs::File) -> (RecordBatch, Vec<i64>) {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let groups = builder.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    let schema = Arc::clone(builder.schema());
    let batches: Vec<RecordBatch> = builder.build().unwrap().map(Result::unwrap).collect();
    (concat_batches(&schema, &batches).unwrap(), groups)
}

fn limits() -> impl Strategy<Value = Limits> {
    let dictionary = prop_oneof![Just(1usize << 20), 1..400usize];
    (1..200usize, 1..5_000usize, dictionary, 1..100usize, 0..3usize).prop_map(
        |(page_rows, page_bytes, dictionary_bytes, judged_after, plain_groups)| Limits {
            page_rows,
            page_bytes,
            dictionary_bytes,
            judged_after,
            plain_groups,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 96 } else { 3_000 }))]
    #[test]
    fn rows_read_back_as_the_crates_own_writer_has_them(
        batches in prop::collection::vec((rows(), form(), 0.0..1.0f64, 0.0..1.0f64), 1..8),
        row_group_rows in prop_oneof![1..60usize, Just(1_000)],
        compression in prop::sample::select(Compression::ALL.to_vec()),
        limits in limits(),
    ) {
        let shared: ArrayRef = Arc::new(StringArray::from_iter_values(texts()));
        let build = |form, rows: &[Row], from: f64, length: f64| {
            let batch = Builder { form, shared: Arc::clone(&shared) }.batch(rows);
            let from = share(rows.len(), from);
            batch.slice(from, share(rows.len() - from, length.max(0.3)))
        };
        let plain: Vec<RecordBatch> =
            batches.iter().map(|(rows, _, from, length)| build(Form::Plain, rows, *from, *length)).collect();
        let schema = plain[0].schema();

        let options = WriterOptions { compression, row_group_rows, ..WriterOptions::default() };
        let file = tempfile::tempfile().unwrap();
        let mut ours = Prepared::new(&schema, &options, limits)
            .unwrap()
            .begin(HashingFile::new(file.try_clone().unwrap()))
            .unwrap();
        for (rows, form, from, length) in &batches {
            ours.append(&build(*form, rows, *from, *length)).unwrap();
        }
        drop(ours.finish().unwrap());
        let (found, groups) = read(file);

        let file = tempfile::tempfile().unwrap();
        let arrow = ArrowWriterOptions::new().with_skip_arrow_metadata(true);
        let copy = file.try_clone().unwrap();
        let mut theirs = ArrowWriter::try_new_with_options(copy, schema, arrow).unwrap();
        for batch in &plain {
            theirs.write(batch).unwrap();
        }
        theirs.close().unwrap();
        let (expected, _) = read(file);

        prop_assert_eq!(found, expected);
        let whole = groups.len().saturating_sub(1);
        prop_assert!(groups[..whole].iter().all(|rows| *rows == i64::try_from(row_group_rows).unwrap()));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
fn share(of: usize, share: f64) -> usize {
    (of as f64 * share) as usize
}

/// The batch as it is read from a file of its own, and the bits of the bounds of its only column.
fn round_trip(batch: &RecordBatch) -> (RecordBatch, Option<(u64, u64)>) {
    let file = tempfile::tempfile().unwrap();
    let prepared = Prepared::new(&batch.schema(), &WriterOptions::default(), Limits::default()).unwrap();
    let mut ours = prepared.begin(HashingFile::new(file.try_clone().unwrap())).unwrap();
    ours.append(batch).unwrap();
    let (_, metadata) = ours.finish().unwrap();
    let Some(Statistics::Double(known)) = metadata.row_group(0).column(0).statistics() else {
        panic!("a column of doubles has statistics")
    };
    let bounds = known.min_opt().zip(known.max_opt()).map(|(from, to)| (from.to_bits(), to.to_bits()));
    (read(file).0, bounds)
}

#[test]
fn a_column_of_other_types_has_no_encoder() {
    for of in [DataType::Int32, DataType::LargeUtf8, DataType::Boolean] {
        let schema = Schema::new(vec![Field::new("n", of, true)]);
        let refused = Prepared::new(&schema, &WriterOptions::default(), Limits::default());
        assert!(refused.err().unwrap().to_string().contains("`n`"));
    }
}

#[test]
fn what_is_no_number_is_kept_and_bounds_nothing() {
    let column = |values: Vec<f64>| {
        let batch = RecordBatch::try_from_iter([("x", Arc::new(Float64Array::from(values)) as ArrayRef)]);
        batch.unwrap()
    };
    let batch = column(vec![f64::NAN, 1.0, 0.0, f64::INFINITY]);
    let (found, bounds) = round_trip(&batch);
    assert_eq!(bounds, Some((-0.0f64, f64::INFINITY)).map(|(from, to)| (from.to_bits(), to.to_bits())));
    let bits = |batch: &RecordBatch| {
        let column = batch.column(0).as_any().downcast_ref::<Float64Array>().unwrap();
        column.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(bits(&found), bits(&batch));
    assert_eq!(round_trip(&column(vec![f64::NAN])).1, None);
}
