//! The slow path: what any valid line means.
//!
//! - `null` for a known member is the same as an absent one.
//! - A value of another type is converted where nothing is lost: a number or boolean where text is due becomes its JSON
//!   text, text that is wholly a JSON number becomes a number, a scalar where a list is due a list of one.
//! - Whatever does not fit goes to `extra` as it came, mirroring the nesting of the line, and the column is null.
//! - A map entry that does not fit goes to `extra` alone.
//!
//! Where `extra` is not wanted, it is not written, nothing drifts, and members of unwanted columns are not looked at.

use std::borrow::Cow;

use crate::columns::{ColumnBuilder, Columns, NumbersColumn, TextListsColumn};
use crate::drift::DriftKind;
use crate::json::date;
use crate::json::number;
use crate::json::object::{Member, Value};
use crate::json::syntax::{ValueKind, skip_space};
use crate::schema::{Parent, Target, parent_member, target};

/// Fills the open row of `columns` from `line`, which was judged to be an object; tells `drifted` each departure.
pub(super) fn read(line: &[u8], columns: &mut Columns, drifted: &mut dyn FnMut(String, DriftKind)) {
    let start = skip_space(line, 0);
    let root = Value { raw: line[start..].trim_ascii_end(), kind: ValueKind::Object };
    let keeps_extra = columns.selection().reads_all();
    let mut reader = OddLine { columns, drifted, keeps_extra };
    let extra = reader.object(Parent::Endpoint, &root);
    if !extra.is_empty() {
        reader.columns.push_extra(&extra.into_object());
    }
}

/// Whether a value found its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placed {
    /// As it came.
    Exactly,
    /// After a conversion that lost nothing.
    Converted,
    /// Not at all.
    Unfit,
}

/// Members for `extra`, written as they came.
#[derive(Debug)]
struct Extra {
    members: Vec<u8>,
    is_kept: bool,
}

impl Extra {
    /// No members; none are taken in unless they are kept.
    fn new(is_kept: bool) -> Self {
        Self { members: Vec::new(), is_kept }
    }

    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn push(&mut self, raw_name: &[u8], raw_value: &[u8]) {
        if !self.is_kept {
            return;
        }
        if !self.members.is_empty() {
            self.members.push(b',');
        }
        self.members.extend_from_slice(raw_name);
        self.members.push(b':');
        self.members.extend_from_slice(raw_value);
    }

    fn into_object(self) -> Vec<u8> {
        let mut object = Vec::with_capacity(self.members.len() + 2);
        object.push(b'{');
        object.extend_from_slice(&self.members);
        object.push(b'}');
        object
    }
}

struct OddLine<'c, 'd> {
    columns: &'c mut Columns,
    drifted: &'d mut dyn FnMut(String, DriftKind),
    keeps_extra: bool,
}

impl OddLine<'_, '_> {
    /// Places the members of an object that is a parent of columns; returns what did not fit.
    fn object(&mut self, parent: Parent, value: &Value<'_>) -> Extra {
        let mut extra = Extra::new(self.keeps_extra);
        for member in value.members() {
            let found = member.name.as_deref().and_then(|name| target(parent, name));
            match found {
                None => {
                    self.drift(parent, &member, DriftKind::Unknown);
                    extra.push(member.raw_name, member.value.raw);
                }
                Some(_) if member.value.kind == ValueKind::Null => {}
                Some(Target::Column(position)) => self.column(parent, position, &member, &mut extra),
                Some(Target::Object(inner)) if member.value.kind == ValueKind::Object => {
                    let inner = self.object(inner, &member.value);
                    if !inner.is_empty() {
                        extra.push(member.raw_name, &inner.into_object());
                    }
                }
                Some(Target::Object(_)) => {
                    self.drift(parent, &member, DriftKind::Unfit);
                    extra.push(member.raw_name, member.value.raw);
                }
            }
        }
        extra
    }

    fn drift(&mut self, parent: Parent, member: &Member<'_>, kind: DriftKind) {
        if self.keeps_extra {
            (self.drifted)(path(parent, &member_name(member)), kind);
        }
    }

    fn column(&mut self, parent: Parent, position: usize, member: &Member<'_>, extra: &mut Extra) {
        let row = self.columns.row();
        let placed = match self.columns.member(position) {
            ColumnBuilder::Text(column) => text_of(&member.value).map(|(text, placed)| {
                column.push(row, &text, 0, text.len());
                placed
            }),
            ColumnBuilder::Label(column) => text_of(&member.value).map(|(text, placed)| {
                column.push(row, &text, 0, text.len());
                placed
            }),
            ColumnBuilder::Instant(column) => instant_of(&member.value).map(|micros| {
                column.push(row, micros);
                Placed::Exactly
            }),
            ColumnBuilder::Number(column) => number_of(&member.value).map(|(number, placed)| {
                column.push(row, number);
                placed
            }),
            ColumnBuilder::TextLists(_) | ColumnBuilder::Numbers(_) => {
                self.map(parent, position, member, extra);
                return;
            }
            ColumnBuilder::PassedOver => return,
        };
        match placed.unwrap_or(Placed::Unfit) {
            Placed::Exactly => self.columns.mark(position),
            Placed::Converted => {
                self.columns.mark(position);
                self.drift(parent, member, DriftKind::Converted);
            }
            Placed::Unfit => {
                self.drift(parent, member, DriftKind::Unfit);
                extra.push(member.raw_name, member.value.raw);
            }
        }
    }

    fn map(&mut self, parent: Parent, position: usize, member: &Member<'_>, extra: &mut Extra) {
        if member.value.kind != ValueKind::Object {
            self.drift(parent, member, DriftKind::Unfit);
            extra.push(member.raw_name, member.value.raw);
            return;
        }
        let (row, keeps_extra) = (self.columns.row(), self.keeps_extra);
        let entries = member.value.members();
        let mut unfit = Extra::new(self.keeps_extra);
        let mut settle = |entry: &Member<'_>, placed: Placed| {
            let kind = match placed {
                Placed::Exactly => return,
                Placed::Converted => DriftKind::Converted,
                Placed::Unfit => DriftKind::Unfit,
            };
            if keeps_extra {
                (self.drifted)(
                    format!("{}.{}", path(parent, &member_name(member)), member_name(entry)),
                    kind,
                );
            }
            if placed == Placed::Unfit {
                unfit.push(entry.raw_name, entry.value.raw);
            }
        };
        match self.columns.member(position) {
            ColumnBuilder::TextLists(column) => {
                column.start_row(row);
                for entry in entries {
                    settle(&entry, place_list(column, &entry));
                }
                column.finish_row(row);
            }
            ColumnBuilder::Numbers(column) => {
                column.start_row(row);
                for entry in entries {
                    settle(&entry, place_number(column, &entry));
                }
                column.finish_row(row);
            }
            _ => return,
        }
        self.columns.mark(position);
        if !unfit.is_empty() {
            extra.push(member.raw_name, &unfit.into_object());
        }
    }
}

/// The dotted path of a member.
fn path(parent: Parent, name: &str) -> String {
    match parent {
        Parent::Endpoint => name.to_owned(),
        _ => format!("{}.{name}", parent_member(parent)),
    }
}

/// A member's name for people: a name without a meaning as it stands in the line.
fn member_name<'m>(member: &'m Member<'_>) -> Cow<'m, str> {
    String::from_utf8_lossy(member.name.as_deref().unwrap_or(member.raw_name))
}

fn text_of<'a>(value: &Value<'a>) -> Option<(Cow<'a, [u8]>, Placed)> {
    match value.kind {
        ValueKind::String => Some((value.text()?, Placed::Exactly)),
        ValueKind::Number | ValueKind::Boolean => Some((Cow::Borrowed(value.raw), Placed::Converted)),
        _ => None,
    }
}

fn instant_of(value: &Value<'_>) -> Option<i64> {
    if value.kind == ValueKind::String { date::to_micros(&value.text()?) } else { None }
}

fn number_of(value: &Value<'_>) -> Option<(f64, Placed)> {
    match value.kind {
        ValueKind::Number => Some((number::to_double(value.raw)?, Placed::Exactly)),
        ValueKind::String => Some((number::from_text(&value.text()?)?, Placed::Converted)),
        _ => None,
    }
}

fn place_list(column: &mut TextListsColumn, entry: &Member<'_>) -> Placed {
    let (Some(name), Some((items, placed))) = (&entry.name, list_of(&entry.value)) else {
        return Placed::Unfit;
    };
    column.push_name(name, 0, name.len());
    for item in items {
        match item {
            Some(text) => column.push_item(&text, 0, text.len()),
            None => column.push_null_item(),
        }
    }
    column.finish_list();
    placed
}

/// Items of a list of text, where `None` is a null item.
type Items<'a> = Vec<Option<Cow<'a, [u8]>>>;

fn list_of<'a>(value: &Value<'a>) -> Option<(Items<'a>, Placed)> {
    match value.kind {
        ValueKind::Null => Some((Vec::new(), Placed::Converted)),
        ValueKind::Object => None,
        ValueKind::Array => {
            let mut items = Vec::new();
            let mut all = Placed::Exactly;
            for item in value.items() {
                if item.kind == ValueKind::Null {
                    items.push(None);
                    continue;
                }
                let (text, placed) = text_of(&item)?;
                items.push(Some(text));
                if placed == Placed::Converted {
                    all = Placed::Converted;
                }
            }
            Some((items, all))
        }
        _ => text_of(value).map(|(text, _)| (vec![Some(text)], Placed::Converted)),
    }
}

fn place_number(column: &mut NumbersColumn, entry: &Member<'_>) -> Placed {
    match (&entry.name, number_of(&entry.value)) {
        (Some(name), Some((value, placed))) => {
            column.push((name, 0, name.len()), value);
            placed
        }
        _ => Placed::Unfit,
    }
}
