//! The columns of the table `endpoints` and the members of Pinpoint's `EndpointResponse` that they come from.
//!
//! One list, `COLUMNS`, says which column has which type and member; the Arrow schema, the builders and both decoders
//! are driven by it, so a column cannot exist in one and be missing in another. The partition column `snapshot` is no
//! column of a data file and so not part of this schema.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::json::word::{WORD_BYTES, word_at, word_of};

/// How the values of a column are held and which odd values fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Text of which hardly any value repeats.
    Text,
    /// Text whose values repeat, dictionary-encoded.
    Label,
    /// An instant in microseconds, UTC.
    Instant,
    /// A double.
    Number,
    /// A map of lists of text.
    TextLists,
    /// A map of doubles.
    Numbers,
    /// Filled by the decoder itself.
    Derived,
}

/// The object that a member lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    /// The endpoint itself.
    Endpoint,
    Location,
    Demographic,
    User,
}

/// One column: its name in the table, its kind, and its member in the export.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: ColumnKind,
    pub(crate) parent: Parent,
    /// The member's name in `parent`; empty for a derived column.
    pub(crate) member: &'static str,
}

const fn column(name: &'static str, kind: ColumnKind, parent: Parent, member: &'static str) -> Column {
    Column { name, kind, parent, member }
}

/// Every column of a data file, in the table's order.
pub(crate) const COLUMNS: [Column; 31] = [
    column("id", ColumnKind::Text, Parent::Endpoint, "Id"),
    column("application_id", ColumnKind::Label, Parent::Endpoint, "ApplicationId"),
    column("channel_type", ColumnKind::Label, Parent::Endpoint, "ChannelType"),
    column("endpoint_status", ColumnKind::Label, Parent::Endpoint, "EndpointStatus"),
    column("opt_out", ColumnKind::Label, Parent::Endpoint, "OptOut"),
    column("cohort_id", ColumnKind::Label, Parent::Endpoint, "CohortId"),
    column("address", ColumnKind::Text, Parent::Endpoint, "Address"),
    column("request_id", ColumnKind::Text, Parent::Endpoint, "RequestId"),
    column("creation_date", ColumnKind::Instant, Parent::Endpoint, "CreationDate"),
    column("effective_date", ColumnKind::Instant, Parent::Endpoint, "EffectiveDate"),
    column("city", ColumnKind::Label, Parent::Location, "City"),
    column("region", ColumnKind::Label, Parent::Location, "Region"),
    column("country", ColumnKind::Label, Parent::Location, "Country"),
    column("postal_code", ColumnKind::Label, Parent::Location, "PostalCode"),
    column("latitude", ColumnKind::Number, Parent::Location, "Latitude"),
    column("longitude", ColumnKind::Number, Parent::Location, "Longitude"),
    column("app_version", ColumnKind::Label, Parent::Demographic, "AppVersion"),
    column("locale", ColumnKind::Label, Parent::Demographic, "Locale"),
    column("make", ColumnKind::Label, Parent::Demographic, "Make"),
    column("model", ColumnKind::Label, Parent::Demographic, "Model"),
    column("model_version", ColumnKind::Label, Parent::Demographic, "ModelVersion"),
    column("platform", ColumnKind::Label, Parent::Demographic, "Platform"),
    column("platform_version", ColumnKind::Label, Parent::Demographic, "PlatformVersion"),
    column("timezone", ColumnKind::Label, Parent::Demographic, "Timezone"),
    column("attributes", ColumnKind::TextLists, Parent::Endpoint, "Attributes"),
    column("metrics", ColumnKind::Numbers, Parent::Endpoint, "Metrics"),
    column("user_id", ColumnKind::Text, Parent::User, "UserId"),
    column("user_attributes", ColumnKind::TextLists, Parent::User, "UserAttributes"),
    column("extra", ColumnKind::Derived, Parent::Endpoint, ""),
    column("piece", ColumnKind::Derived, Parent::Endpoint, ""),
    column("line", ColumnKind::Derived, Parent::Endpoint, ""),
];

/// The position of `extra`, the first column that no member fills.
pub(crate) const EXTRA: usize = COLUMNS.len() - 3;

/// What a member's name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A column, by its position in [`COLUMNS`].
    Column(usize),
    /// An object whose members are columns.
    Object(Parent),
}

/// A member's name and where it leads.
#[derive(Clone, Copy, Debug)]
struct Name {
    word: u128,
    length: usize,
    parent: Parent,
    target: Target,
}

/// The objects that are members of an endpoint.
pub(crate) const OBJECTS: [Parent; 3] = [Parent::Location, Parent::Demographic, Parent::User];

/// A power of two, four times the number of names: nearly every name is found where it is looked for first.
const NAME_SLOTS: usize = 128;

/// Every known member's name, in a hash table made at compile time: open addressing, `None` is free.
static NAMES: [Option<Name>; NAME_SLOTS] = {
    let mut names = [None; NAME_SLOTS];
    let mut at = 0;
    while at < COLUMNS.len() {
        let Column { parent, member, .. } = COLUMNS[at];
        if !member.is_empty() {
            add_name(&mut names, parent, member, Target::Column(at));
        }
        at += 1;
    }
    at = 0;
    while at < OBJECTS.len() {
        add_name(&mut names, Parent::Endpoint, parent_member(OBJECTS[at]), Target::Object(OBJECTS[at]));
        at += 1;
    }
    names
};

const fn add_name(names: &mut [Option<Name>; NAME_SLOTS], parent: Parent, member: &str, target: Target) {
    let member = member.as_bytes();
    assert!(member.len() <= WORD_BYTES, "a name is compared as one word");
    let word = word_of(member);
    let mut slot = name_slot(word, parent);
    while names[slot].is_some() {
        slot = (slot + 1) % NAME_SLOTS;
    }
    names[slot] = Some(Name { word, length: member.len(), parent, target });
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of the word are folded")]
const fn name_slot(word: u128, parent: Parent) -> usize {
    let folded = (word as u64) ^ ((word >> 64) as u64).rotate_left(29) ^ (parent as u64);
    (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57) as usize
}

/// Where the member of `parent` belongs whose name is `length` bytes long and begins with `word`; `None` for an unknown
/// one. Keys are exact: `id` is not `Id`.
#[inline]
pub(crate) fn target_of_word(parent: Parent, word: u128, length: usize) -> Option<Target> {
    let mut slot = name_slot(word, parent);
    while let Some(name) = &NAMES[slot] {
        if name.word == word && name.length == length && name.parent as u8 == parent as u8 {
            return Some(name.target);
        }
        slot = (slot + 1) % NAME_SLOTS;
    }
    None
}

/// Where the member `key` of `parent` belongs; `None` for an unknown one.
pub(crate) fn target(parent: Parent, key: &[u8]) -> Option<Target> {
    target_of_word(parent, word_at(key, 0, key.len()), key.len())
}

/// The name of `parent` as a member of the endpoint.
pub(crate) const fn parent_member(parent: Parent) -> &'static str {
    match parent {
        Parent::Endpoint => "",
        Parent::Location => "Location",
        Parent::Demographic => "Demographic",
        Parent::User => "User",
    }
}

/// The member of an export that fills a column: the object of the endpoint that it lies in (empty: the endpoint itself) and its
/// name there. `None` for `extra`, `piece` and `line`, which no member fills, and for what is no column.
#[must_use]
pub fn member_of(column: &str) -> Option<(&'static str, &'static str)> {
    let found = COLUMNS.iter().find(|known| known.name == column && !known.member.is_empty())?;
    Some((parent_member(found.parent), found.member))
}

/// The Arrow schema of a data file: every column of the table `endpoints` but the partition column `snapshot`.
///
/// Map entries are named `key_value` with fields `key` and `value`, list items `element`: the names of the Parquet
/// specification, which every reader knows. Dictionary-encoded text is an encoding of batches, not of the table: its
/// readers see text.
#[must_use]
pub fn endpoint_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let fields: Vec<Field> = COLUMNS
            .iter()
            .map(|column| Field::new(column.name, data_type(column), nullable(column)))
            .collect();
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

fn nullable(column: &Column) -> bool {
    !matches!(column.name, "piece" | "line")
}

fn data_type(column: &Column) -> DataType {
    match (column.kind, column.name) {
        (ColumnKind::Text, _) | (ColumnKind::Derived, "extra") => DataType::Utf8,
        (ColumnKind::Label, _) | (ColumnKind::Derived, "piece") => label_type(),
        (ColumnKind::Instant, _) => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        (ColumnKind::Number, _) => DataType::Float64,
        (ColumnKind::TextLists, _) => map_type(DataType::List(list_item())),
        (ColumnKind::Numbers, _) => map_type(DataType::Float64),
        (ColumnKind::Derived, _) => DataType::Int64,
    }
}

fn label_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn map_type(value: DataType) -> DataType {
    DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(map_fields(value)), false)), false)
}

/// The two fields of a map's entries.
pub(crate) fn map_fields(value: DataType) -> Fields {
    Fields::from(vec![Field::new("key", label_type(), false), Field::new("value", value, true)])
}

/// The item of the lists in `attributes` and `user_attributes`: nullable text, dictionary-encoded.
pub(crate) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", label_type(), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_column_is_reached_by_its_member() {
        for (at, column) in COLUMNS.iter().enumerate() {
            if column.kind != ColumnKind::Derived {
                assert_eq!(
                    target(column.parent, column.member.as_bytes()),
                    Some(Target::Column(at)),
                    "{}",
                    column.name
                );
            }
        }
    }

    #[test]
    fn columns_know_their_members() {
        assert_eq!(member_of("postal_code"), Some(("Location", "PostalCode")));
        assert_eq!(member_of("address"), Some(("", "Address")));
        assert_eq!(["extra", "piece", "line", "snapshot", ""].map(member_of), [None; 5]);
    }

    #[test]
    fn keys_are_exact() {
        assert_eq!(target(Parent::Endpoint, b"id"), None);
        assert_eq!(target(Parent::Location, b"Id"), None);
        assert_eq!(target(Parent::Endpoint, b"City"), None);
        assert_eq!(target(Parent::Endpoint, b""), None);
        assert_eq!(target(Parent::Endpoint, b"Id\0"), None);
        assert_eq!(target(Parent::Demographic, b"PlatformVersion and more"), None);
    }

    #[test]
    fn only_provenance_is_required() {
        let required: Vec<String> = endpoint_schema()
            .fields()
            .iter()
            .filter(|field| !field.is_nullable())
            .map(|field| field.name().clone())
            .collect();
        assert_eq!(required, ["piece", "line"]);
    }
}
