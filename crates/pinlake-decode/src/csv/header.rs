//! The header: which member each column fills, and the JSON object that a record's cells make.

use std::collections::HashMap;

use super::scan::cell_count;
use super::{CellReader, CsvHeaderError};
use crate::json::number::number_end;
use crate::json::text::plain_end;
use crate::schema::{COLUMNS, ColumnKind, Parent, Target, target};

/// Columns at most: as many as spreadsheets have, and sixty times as many as Pinpoint kept names of attributes.
const MAX_COLUMNS: usize = 16_384;

/// Objects that a path may lead into; what is left of a deeper one is one name with its dots.
const MAX_DEPTH: usize = 16;

/// What the columns of a piece fill.
#[derive(Debug)]
pub struct CsvHeader {
    columns: usize,
    /// The first is the endpoint.
    nodes: Vec<Node>,
}

/// A member.
#[derive(Debug)]
struct Node {
    /// Its name as JSON, with the colon behind it.
    name: Vec<u8>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Members, by their number.
    Object(Vec<usize>),
    /// Columns, by their number.
    Cells(Kind, Vec<usize>),
}

/// How cells become a value. Empty cells are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Text; a list of it where several cells are filled.
    Text,
    /// The same with numbers, where cells are such.
    Number,
    /// A list of text.
    List,
}

/// Where a column leads.
struct Path<'a> {
    names: Vec<&'a str>,
    kind: Kind,
    /// Whether endpoints have such a member.
    is_known: bool,
}

impl CsvHeader {
    /// Reads a header: a record whose quotes are sound, without its line end and without a byte order mark.
    pub(crate) fn read(record: &[u8]) -> Result<Self, CsvHeaderError> {
        let columns = cell_count(record);
        if columns > MAX_COLUMNS {
            return Err(CsvHeaderError::TooManyColumns { limit: MAX_COLUMNS });
        }
        if std::str::from_utf8(record).is_err() {
            return Err(CsvHeaderError::NotUtf8);
        }
        let mut cells = CellReader::new();
        cells.read(record, columns);
        let root = Node { name: Vec::new(), content: Content::Object(Vec::new()) };
        let mut tree = Tree { nodes: vec![root], found: HashMap::new() };
        let mut has_member = false;
        for column in 0..columns {
            let name = std::str::from_utf8(cells.cell(column)).map_err(|_| CsvHeaderError::NotUtf8)?;
            let path = path(name);
            has_member |= path.is_known;
            tree.add(&path, column)?;
        }
        if !has_member {
            return Err(CsvHeaderError::NoMember);
        }
        Ok(Self { columns, nodes: tree.nodes })
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes the JSON object that an export would have had for these cells, which are UTF-8. Empty cells are absent,
    /// and so are objects without a member.
    pub(crate) fn write_object(&self, cells: &CellReader, out: &mut Vec<u8>) {
        if !self.write(0, cells, out) {
            out.extend_from_slice(b"{}");
        }
    }

    /// Writes the value of a node; whether there is one.
    fn write(&self, node: usize, cells: &CellReader, out: &mut Vec<u8>) -> bool {
        let members = match &self.nodes[node].content {
            Content::Object(members) => members,
            Content::Cells(kind, columns) => return write_cells(*kind, columns, cells, out),
        };
        let start = out.len();
        let mut is_first = true;
        for &member in members {
            let before = out.len();
            out.push(if is_first { b'{' } else { b',' });
            out.extend_from_slice(&self.nodes[member].name);
            if self.write(member, cells, out) {
                is_first = false;
            } else {
                out.truncate(before);
            }
        }
        if !is_first {
            out.push(b'}');
        }
        out.len() > start
    }
}

fn write_cells(kind: Kind, columns: &[usize], cells: &CellReader, out: &mut Vec<u8>) -> bool {
    let filled = || columns.iter().map(|&column| cells.cell(column)).filter(|cell| !cell.is_empty());
    let is_list = match filled().take(2).count() {
        0 => return false,
        1 => kind == Kind::List,
        _ => true,
    };
    if is_list {
        out.push(b'[');
    }
    for (number, cell) in filled().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        if kind == Kind::Number && number_end(cell, 0) == Some(cell.len()) {
            out.extend_from_slice(cell);
        } else {
            write_string(cell, out);
        }
    }
    if is_list {
        out.push(b']');
    }
    true
}

/// Writes UTF-8 text as a JSON string.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    loop {
        let end = plain_end(rest, 0);
        out.extend_from_slice(&rest[..end]);
        let Some((&byte, after)) = rest[end..].split_first() else { break };
        rest = after;
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            _ => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&digits);
            }
        }
    }
    out.push(b'"');
}

/// The members that a column's name leads through. Behind `Attributes.`, `Metrics.` and `User.UserAttributes.` everything
/// is one name; in a path that no endpoint has every dot parts two names.
fn path(header: &str) -> Path<'_> {
    let mut names = Vec::new();
    let (mut parent, mut rest) = (Parent::Endpoint, header);
    loop {
        let (name, behind) = match rest.split_once('.') {
            Some((name, behind)) => (name, Some(behind)),
            None => (rest, None),
        };
        let kind = match target(parent, name.as_bytes()) {
            Some(Target::Column(position)) => COLUMNS[position].kind,
            Some(Target::Object(object)) if let Some(behind) = behind => {
                names.push(name);
                (parent, rest) = (object, behind);
                continue;
            }
            Some(Target::Object(_)) | None => ColumnKind::Derived,
        };
        let (kind, is_known) = match (kind, behind) {
            (ColumnKind::TextLists, Some(_)) => (Kind::List, true),
            (ColumnKind::Numbers, Some(_)) | (ColumnKind::Number, None) => (Kind::Number, true),
            (ColumnKind::Text | ColumnKind::Label | ColumnKind::Instant, None) => (Kind::Text, true),
            _ => (Kind::Text, false),
        };
        match behind {
            Some(entry) if is_known => names.extend([name, entry]),
            _ => names.extend(rest.splitn(MAX_DEPTH - names.len(), '.')),
        }
        return Path { names, kind, is_known };
    }
}

/// The tree of members while it grows.
struct Tree {
    nodes: Vec<Node>,
    /// Members by their object and name.
    found: HashMap<(usize, String), usize>,
}

impl Tree {
    fn add(&mut self, path: &Path<'_>, column: usize) -> Result<(), CsvHeaderError> {
        let conflict = || CsvHeaderError::ValueAndObject { column: column + 1 };
        let mut node = 0;
        for (depth, name) in path.names.iter().enumerate() {
            let is_last = depth + 1 == path.names.len();
            let key = (node, (*name).to_owned());
            node = match self.found.get(&key) {
                Some(&found) => found,
                None => self.add_member(key, if is_last { Some(path.kind) } else { None }, conflict())?,
            };
            match (&mut self.nodes[node].content, is_last) {
                (Content::Cells(_, columns), true) => columns.push(column),
                (Content::Object(_), false) => {}
                _ => return Err(conflict()),
            }
        }
        Ok(())
    }

    /// Adds a member of cells of this kind, or an object, to the object that its key names.
    fn add_member(
        &mut self,
        key: (usize, String),
        kind: Option<Kind>,
        conflict: CsvHeaderError,
    ) -> Result<usize, CsvHeaderError> {
        let number = self.nodes.len();
        let Content::Object(members) = &mut self.nodes[key.0].content else { return Err(conflict) };
        members.push(number);
        let mut name = Vec::new();
        write_string(key.1.as_bytes(), &mut name);
        name.push(b':');
        let content = match kind {
            Some(kind) => Content::Cells(kind, Vec::new()),
            None => Content::Object(Vec::new()),
        };
        self.nodes.push(Node { name, content });
        self.found.insert(key, number);
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(header: &str, record: &str) -> String {
        let header = CsvHeader::read(header.as_bytes()).expect("a sound header");
        let mut cells = CellReader::new();
        assert!(cells.read(record.as_bytes(), header.columns()));
        let mut out = Vec::new();
        header.write_object(&cells, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn cells_become_the_object_of_an_export() {
        for (header, record, expected) in [
            ("Id", "\"\"", "{}"),
            ("Id,Address", "1,", r#"{"Id":"1"}"#),
            (
                "Location.Country,Id,Location.Latitude",
                "NO,1,59.9",
                r#"{"Location":{"Country":"NO","Latitude":59.9},"Id":"1"}"#,
            ),
            ("Location.Country,Id,Location.Latitude", ",1,", r#"{"Id":"1"}"#),
            ("Metrics.a,Metrics.b", "07,1e2", r#"{"Metrics":{"a":"07","b":1e2}}"#),
            ("Attributes.a,Attributes.a,Attributes.b.c", "x,,y", r#"{"Attributes":{"a":["x"],"b.c":["y"]}}"#),
            ("Attributes.a,Attributes.a", "x,y", r#"{"Attributes":{"a":["x","y"]}}"#),
            (
                "User.UserAttributes.f,User.UserAttributes.f,User.UserId",
                "1,2,u",
                r#"{"User":{"UserAttributes":{"f":["1","2"]},"UserId":"u"}}"#,
            ),
            ("User.UserStatus,User.UserId", "new,u", r#"{"User":{"UserStatus":"new","UserId":"u"}}"#),
            (
                "Id,Zip,Custom.A.B,Custom.C",
                "1,2,3,4",
                r#"{"Id":"1","Zip":"2","Custom":{"A":{"B":"3"},"C":"4"}}"#,
            ),
            ("Id,Id,Address,Address", "1,2,a,", r#"{"Id":["1","2"],"Address":"a"}"#),
            ("Id,Attributes", "1,x", r#"{"Id":"1","Attributes":"x"}"#),
            ("Id,Id.x", "1,", "conflict"),
            ("Id,", "1,x", r#"{"Id":"1","":"x"}"#),
            ("Id,Attributes.", "1,x", r#"{"Id":"1","Attributes":{"":["x"]}}"#),
            ("Id", "\"a\"\"b\\c\n\u{1}\u{7f}é\"", "{\"Id\":\"a\\\"b\\\\c\\n\\u0001\u{7f}é\"}"),
        ] {
            if expected == "conflict" {
                let error = CsvHeader::read(header.as_bytes()).unwrap_err();
                assert_eq!(error, CsvHeaderError::ValueAndObject { column: 2 });
            } else {
                assert_eq!(object(header, record), expected, "{header}");
            }
        }
    }

    #[test]
    fn headers_without_a_member_or_without_end_are_refused() {
        let read = |header: &str| CsvHeader::read(header.as_bytes()).err();
        assert_eq!(read("id,address"), Some(CsvHeaderError::NoMember));
        assert_eq!(read("Id;Address"), Some(CsvHeaderError::NoMember));
        assert_eq!(read("Attributes"), Some(CsvHeaderError::NoMember));
        assert_eq!(read("Location.Country.x"), Some(CsvHeaderError::NoMember));
        assert_eq!(read("Id.x,Id"), Some(CsvHeaderError::ValueAndObject { column: 2 }));
        assert_eq!(CsvHeader::read(b"Id,\xff").err(), Some(CsvHeaderError::NotUtf8));
        let many = ",".repeat(MAX_COLUMNS);
        assert_eq!(read(&many), Some(CsvHeaderError::TooManyColumns { limit: MAX_COLUMNS }));
        // As deep as it gets, which is less than JSON may be.
        let deep = format!("Id,{}", "x.".repeat(1000));
        assert_eq!(object(&deep, "1,y").matches(":{").count(), MAX_DEPTH - 1);
    }
}
