//! Workbooks read back by another reader, and their parts as XML where no reader tells.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{Data, Reader as _, Xlsx};

use super::*;
use crate::test_lake::{TestLake, chain};
use crate::{Reconciliation, Template, run};

/// A workbook's bytes, read two ways.
struct Book {
    bytes: Vec<u8>,
    cells: Xlsx<Cursor<Vec<u8>>>,
}

impl Book {
    fn of(reports: &[Report], options: &RenderOptions) -> Self {
        let mut bytes = Vec::new();
        write(reports, options, &mut bytes).unwrap_or_else(|error| panic!("{}", chain(&error)));
        Self::read(bytes)
    }

    fn read(bytes: Vec<u8>) -> Self {
        let cells = Xlsx::new(Cursor::new(bytes.clone())).expect("is a workbook");
        Self { bytes, cells }
    }

    fn sheets(&self) -> Vec<String> {
        self.cells.sheet_names().clone()
    }

    /// A cell by its place, counted from 0.
    fn cell(&mut self, sheet: &str, (row, column): (u32, u32)) -> Data {
        let range = self.cells.worksheet_range(sheet).expect("the sheet reads");
        range.get_value((row, column)).cloned().unwrap_or(Data::Empty)
    }

    /// A row as far as it is filled, as text.
    fn row(&mut self, sheet: &str, row: u32) -> Vec<String> {
        let range = self.cells.worksheet_range(sheet).expect("the sheet reads");
        let width = range.end().map_or(0, |(_, column)| column + 1);
        (0..width)
            .map(|column| range.get_value((row, column)).map(ToString::to_string).unwrap_or_default())
            .collect()
    }

    /// The row whose first cell is a text.
    fn row_of(&mut self, sheet: &str, first: &str) -> u32 {
        let range = self.cells.worksheet_range(sheet).expect("the sheet reads");
        let last = range.end().expect("the sheet is not empty").0;
        (0..=last)
            .find(|row| range.get_value((*row, 0)).is_some_and(|value| *value == *first))
            .unwrap_or_else(|| panic!("no row of {sheet} begins with {first:?}"))
    }

    /// A part of the archive as text.
    fn part(&self, name: &str) -> String {
        let mut archive = zip::ZipArchive::new(Cursor::new(&self.bytes)).expect("is an archive");
        let mut text = String::new();
        archive.by_name(name).expect("has the part").read_to_string(&mut text).expect("is text");
        text
    }

    fn parts(&self) -> Vec<String> {
        let archive = zip::ZipArchive::new(Cursor::new(&self.bytes)).expect("is an archive");
        archive.file_names().map(|name| name.expect("is a name").into_owned()).collect()
    }
}

async fn report(name: &str, text: &str) -> Report {
    let template = Template::parse(name, &format!("{name}.sql"), text).expect("parses");
    let report = run(&TestLake::empty().session().await, &template, &BTreeMap::new()).await;
    report.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

async fn bare(sql: &str) -> Report {
    let report = report("query", sql).await;
    Report { title: None, ..report }
}

const TYPED: &str = "\
-- title: Typed
-- about: Every kind of value.
-- param: least integer = 1  The least
-- check: share < 0.5 error  A share is large
-- check: n >= $least warn
SELECT * FROM (VALUES
  (1, 'plain', 1234567, 0.25, 2.5, true, DATE '2026-10-29', TIMESTAMP '2026-10-29 12:34:56.5', make_array('a', 'b')),
  (2, '=1+1', 999999999999999, 0.75, 0.00001, false, DATE '1899-12-31', TIMESTAMP '1900-02-28 00:00:00', NULL),
  (3, '+81 90', 1000000000000000, NULL, CAST('NaN' AS DOUBLE), NULL, NULL, NULL, NULL),
  (4, '-1', 9007199254740993, 1.0, 3.0, NULL, DATE '1900-03-01', NULL, NULL),
  (5, '@SUM(1)', -9007199254740993, 0.0, -1e300, NULL, NULL, NULL, NULL)
) AS t(n, text, whole, share, number, truth, day, instant, list) ORDER BY n";

#[tokio::test]
async fn cells_are_typed() {
    let mut book = Book::of(&[report("typed", TYPED).await], &RenderOptions::default());
    assert_eq!(book.sheets(), ["Contents", "typed"]);
    assert_eq!(book.row("typed", 0)[0], "← Contents");
    assert_eq!(book.row("typed", 1)[0], "Typed");
    assert_eq!(book.row("typed", 2)[0], "Every kind of value.");
    assert_eq!(book.row("typed", 3)[0], "least = 1");
    assert_eq!(book.row("typed", 4)[0], "✗ error: A share is large (2 of 5 rows)");
    assert_eq!(book.row("typed", 5)[0], "✓ holds: n >= $least");
    let header = 7;
    assert_eq!(book.row("typed", header)[..5], ["n", "text", "whole", "share", "number"]);
    let mut of = |row: u32, column: u32| book.cell("typed", (header + row, column));
    let text = |text: &str| Data::String(text.to_owned());
    assert_eq!((of(1, 0), of(1, 1), of(1, 2)), (Data::Float(1.0), text("plain"), Data::Float(1_234_567.0)));
    assert_eq!((of(1, 3), of(1, 4), of(1, 5)), (Data::Float(0.25), Data::Float(2.5), Data::Bool(true)));
    // Whole numbers of more than fifteen digits would lose their last ones.
    assert_eq!(of(2, 2), Data::Float(999_999_999_999_999.0));
    assert_eq!((of(3, 2), of(4, 2)), (text("1000000000000000"), text("9007199254740993")));
    assert_eq!(of(5, 2), text("-9007199254740993"));
    assert_eq!((of(2, 4), of(3, 4), of(4, 4)), (Data::Float(0.00001), text("NaN"), Data::Float(3.0)));
    assert_eq!(
        (of(3, 3), of(3, 5), of(3, 6), of(3, 7)),
        (Data::Empty, Data::Empty, Data::Empty, Data::Empty)
    );
    // Dates are dates: 2026-10-29 is day 46,324 of Excel's count, whose first days nobody agrees on.
    let serial = |data: Data| match data {
        Data::DateTime(time) => time.as_f64(),
        other => panic!("{other:?} is no date"),
    };
    assert!((serial(of(1, 6)) - 46_324.0).abs() < 1e-9);
    let half_past = (12.0 * 3600.0 + 34.0 * 60.0 + 56.5) / 86_400.0;
    assert!((serial(of(1, 7)) - 46_324.0 - half_past).abs() < 1e-8);
    assert_eq!((of(2, 6), of(2, 7)), (text("1899-12-31"), text("1900-02-28 00:00:00")));
    assert!((serial(of(4, 6)) - 61.0).abs() < 1e-9);
    assert_eq!((of(1, 8), of(2, 8)), (text("a, b"), Data::Empty));
    // Shares look as they do in the terminal.
    assert!(book.part("xl/styles.xml").contains("formatCode=\"0.0%\""));
}

#[tokio::test]
async fn nothing_in_the_data_is_a_formula() {
    let mut book = Book::of(&[report("typed", TYPED).await], &RenderOptions::default());
    let texts: Vec<String> = (9..=12).map(|row| book.row("typed", row)[1].clone()).collect();
    assert_eq!(texts, ["=1+1", "+81 90", "-1", "@SUM(1)"]);
    for sheet in book.sheets() {
        let formulas = book.cells.worksheet_formula(&sheet).expect("reads");
        assert!(formulas.used_cells().next().is_none(), "{sheet}");
    }
    assert!(!book.part("xl/worksheets/sheet2.xml").contains("<f>"));
    // A cell that is edited stays text too.
    assert!(book.part("xl/styles.xml").contains("quotePrefix=\"1\""));
}

#[tokio::test]
async fn odd_text_leaves_the_workbook_whole() {
    let long = "repeat('ä', 40000)";
    let sql = format!(
        "SELECT chr(7) || 'bell _x0041_ ' || chr(65535) || ' <b>&' AS \"a<\"\"b\", {long} AS long, '' AS empty, 'x' AS \"\""
    );
    let mut book = Book::of(&[bare(&sql).await], &RenderOptions::default());
    assert_eq!(book.sheets(), ["query"]);
    assert_eq!(book.row("query", 0)[0], "a<\"b");
    let strings = book.part("xl/sharedStrings.xml");
    assert!(strings.contains("_x0007_bell _x005F_x0041_ _xFFFF_ &lt;b&gt;&amp;"), "{}", &strings[..400]);
    let Data::String(cut) = book.cell("query", (1, 1)) else { panic!("is text") };
    assert_eq!(cut.encode_utf16().count(), 32_767);
    assert!(cut.ends_with("ä… (cut; 40,000 characters in all)"));
    assert_eq!(book.cell("query", (1, 2)), Data::Empty);
}

#[tokio::test]
async fn a_sheet_is_cut_where_it_is_full_and_says_so() {
    let rows = bare("SELECT value AS n FROM generate_series(1, 50)").await;
    let styles = Styles::new();
    let mut sheet = Worksheet::new();
    let mut table = Table::begin(&mut sheet, &rows.result.schema, 4, &styles).expect("begins");
    table.end_row = 15;
    for batch in &rows.result.batches {
        table.write(&mut sheet, batch, &styles).expect("writes");
    }
    assert!(!table.has_room());
    assert_eq!(table.rows(), 10);
    let note = table.cut_note().expect("is cut");
    assert!(note.starts_with("The first 10 of 50 rows: "), "{note}");
}

#[tokio::test]
async fn the_same_rows_give_the_same_bytes() {
    let reports = [report("typed", TYPED).await, drawn("bar x=c y=v series=s").await];
    let first = Book::of(&reports, &RenderOptions::default()).bytes;
    assert_eq!(first, Book::of(&reports, &RenderOptions::default()).bytes);
    let properties = Book::read(first).part("docProps/core.xml");
    assert!(properties.contains("1980-01-01T00:00:00Z") && !properties.contains("202"), "{properties}");
}

#[tokio::test]
async fn contents_link_to_every_sheet_and_tell_what_failed() {
    let facts = PageFacts {
        title: "Audience of <Example & Sons>".to_owned(),
        lines: vec![("Snapshot".into(), "s".into()), ("Source".into(), "=s3://bucket/".into())],
        reconciliation: vec![Reconciliation {
            check: "rows + rejects = TotalProcessed".into(),
            expected: "5".into(),
            actual: "4".into(),
            ok: false,
        }],
    };
    let quoted = report("it's", "SELECT 1 AS n").await;
    let mut book = Book::of(
        &[report("typed", TYPED).await, quoted],
        &RenderOptions { facts, ..RenderOptions::default() },
    );
    assert_eq!(book.sheets(), ["Contents", "typed", "it's"]);
    let mut row_of = |first: &str| {
        let row = book.row_of(CONTENTS, first);
        book.row(CONTENTS, row)
    };
    assert_eq!(row_of("Audience of <Example & Sons>")[0], "Audience of <Example & Sons>");
    assert_eq!(row_of("Source")[1], "=s3://bucket/");
    assert_eq!(row_of("rows + rejects = TotalProcessed")[1..], ["5", "4", "✗ fails"]);
    assert_eq!(row_of("typed"), ["typed", "Typed", "5", "✗ 1 of 2 failed"]);
    assert_eq!(row_of("it's")[2..], ["1", "none"]);
    let failed = book.row_of(CONTENTS, "Failed checks");
    assert_eq!(book.row(CONTENTS, failed + 1)[..2], ["typed", "✗ error: A share is large (2 of 5 rows)"]);
    let contents = book.part("xl/worksheets/sheet1.xml");
    for location in ["'typed'!A1", "'it''s'!A1"] {
        assert!(contents.contains(&format!("location=\"{location}\"")), "{contents}");
    }
}

#[tokio::test]
async fn headers_stay_and_filter_and_columns_fit() {
    let mut book = Book::of(&[report("typed", TYPED).await], &RenderOptions::default());
    let sheet = book.part("xl/worksheets/sheet2.xml");
    assert!(sheet.contains("ySplit=\"8\"") && sheet.contains("state=\"frozen\""), "{sheet}");
    assert!(sheet.contains("<autoFilter ref=\"A8:I13\"/>"), "{sheet}");
    assert!(sheet.contains("numberStoredAsText=\"1\""));
    // Neighbours of the same width share an element.
    let attribute = |element: &str, name: &str| -> f64 {
        let from = element.find(name).expect("the attribute") + name.len() + 2;
        element[from..].split('"').next().and_then(|text| text.parse().ok()).expect("a number")
    };
    let mut widths = Vec::new();
    for element in sheet.split("<col ").skip(1) {
        let mut column = attribute(element, "min");
        while column <= attribute(element, "max") {
            widths.push(attribute(element, "width"));
            column += 1.0;
        }
    }
    assert_eq!(widths.len(), 9);
    assert!(widths.iter().all(|width| (8.0..62.0).contains(width)), "{widths:?}");
    // Sixteen digits and a sign, a date and its time.
    assert!(widths[2] > 17.0 && widths[7] > 19.0, "{widths:?}");
    // A result without rows has nothing to filter.
    let empty = report("none", "-- title: None\nSELECT 1 AS n WHERE false").await;
    let mut book_of_none = Book::of(&[empty], &RenderOptions::default());
    assert_eq!(book_of_none.row("none", 4)[0], "no rows");
    assert!(!book_of_none.part("xl/worksheets/sheet2.xml").contains("autoFilter"));
    assert_eq!(book.row(CONTENTS, 0)[0], "Audience report");
}

async fn drawn(chart: &str) -> Report {
    let text = format!(
        "-- title: Drawn\n-- chart: {chart}\nSELECT * FROM (VALUES
          ('a', 'x', 1, DATE '2026-01-01'), ('a', 'y', 2, DATE '2026-02-01'),
          ('b', 'x', 3, DATE '2026-03-01'), (NULL, 'y', 4, DATE '2026-04-01')
        ) AS t(c, s, v, day)"
    );
    report("drawn", &text).await
}

#[tokio::test]
async fn charts_are_native() {
    for (chart, parts) in [
        ("bar x=c y=v", vec!["<c:barDir val=\"bar\"/>", "<c:grouping val=\"clustered\"/>"]),
        (
            "bar x=c y=v series=s stacked=true",
            vec!["<c:grouping val=\"stacked\"/>", "<c:overlap val=\"100\"/>"],
        ),
        ("column x=c y=v series=s", vec!["<c:barDir val=\"col\"/>"]),
        ("column x=day y=v", vec!["<c:dateAx>", "yyyy-mm"]),
        ("histogram x=c y=v", vec!["<c:barDir val=\"col\"/>", "<c:gapWidth val=\"0\"/>"]),
        ("line x=day y=v series=s", vec!["<c:lineChart>", "<c:dateAx>"]),
        ("area x=day y=v series=s stacked=true", vec!["<c:areaChart>", "<c:grouping val=\"stacked\"/>"]),
        ("pie x=c y=v", vec!["<c:pieChart>"]),
    ] {
        let mut book = Book::of(&[drawn(chart).await], &RenderOptions::default());
        let xml = book.part("xl/charts/chart1.xml");
        for part in parts {
            assert!(xml.contains(part), "{chart}: {part} is not in {xml}");
        }
        // The ranges are there, and what they hold is known to programs that do not calculate.
        assert!(xml.contains("<c:f>'Chart data'!$A$3:$A$") && xml.contains("<c:numCache>"), "{chart}: {xml}");
        assert_eq!(book.sheets(), [CONTENTS, "drawn", FigureSheet::NAME]);
        assert!(book.part("xl/workbook.xml").contains("name=\"Chart data\" sheetId=\"3\" state=\"hidden\""));
        assert!(book.row(FigureSheet::NAME, 0)[0].starts_with("V by "));
    }
    // The first row of bars stands at the top: it is the axis of names that runs the other way.
    let bars =
        Book::of(&[drawn("bar x=c y=v").await], &RenderOptions::default()).part("xl/charts/chart1.xml");
    let axis = |name: &str| bars.split(&format!("<c:{name}>")).nth(1).expect("has the axis");
    let names = axis("catAx").split("</c:catAx>").next().expect("ends");
    assert!(names.contains("<c:orientation val=\"maxMin\"/>") && !axis("valAx").contains("maxMin"), "{bars}");

    let table = Book::of(&[drawn("table").await], &RenderOptions::default());
    assert!(!table.parts().iter().any(|part| part.contains("chart")), "{:?}", table.parts());
    assert_eq!(table.sheets(), [CONTENTS, "drawn"]);
}

#[tokio::test]
async fn a_heatmap_is_a_grid_of_shades() {
    let mut book = Book::of(&[drawn("heatmap x=s y=c value=v").await], &RenderOptions::default());
    let header = 3;
    assert_eq!(book.row("drawn", header - 1)[5], "V by c and s");
    let mut row = |at: u32| book.row("drawn", at)[5..].to_vec();
    assert_eq!(row(header), ["c", "x", "y"]);
    assert_eq!(
        (row(header + 1), row(header + 2)),
        (vec!["a".into(), "1".into(), "2".into()], vec!["b".into(), "3".into(), String::new()])
    );
    assert_eq!(row(header + 3), ["(none)", "", "4"]);
    let sheet = book.part("xl/worksheets/sheet2.xml");
    assert!(
        sheet.contains("<conditionalFormatting sqref=\"G5:H7\">") && sheet.contains("<colorScale>"),
        "{sheet}"
    );
}

#[tokio::test]
async fn a_query_is_one_sheet_within_the_memory_limit() {
    let session = TestLake::empty().session().await;
    let sql = "SELECT value AS n, 'x' AS text FROM generate_series(1, 3000) ORDER BY 1";
    let render = async |memory_limit_bytes| {
        let stream = session.stream(sql, &crate::Bindings::none()).await.expect("starts");
        let options = RenderOptions { memory_limit_bytes, ..RenderOptions::default() };
        let mut out = Vec::new();
        let rendered = crate::render_stream(stream, Format::Xlsx, &options, &mut out).await;
        rendered.map(|rows| (rows, out))
    };
    let (rows, bytes) = render(None).await.expect("renders");
    assert_eq!(rows, 3000);
    let mut book = Book::read(bytes);
    assert_eq!(book.sheets(), ["query"]);
    assert_eq!(
        (book.row("query", 0), book.row("query", 3000)),
        (vec!["n".into(), "text".into()], vec!["3000".into(), "x".into()])
    );
    let error = render(Some(100_000)).await.expect_err("is too large");
    assert_eq!(error.kind(), crate::ErrorKind::Resource);
    assert!(error.to_string().contains("--memory-limit"), "{error}");
}
