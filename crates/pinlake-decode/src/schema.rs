//! The columns of the table `endpoints` and the members of Pinpoint's `EndpointResponse` that they come from.
//!
//! One list, `COLUMNS`, says which column has which type and member; the Arrow schema, the builders and both decoders
//! are driven by it, so a column cannot exist in one and be missing in another. The partition column `snapshot` is no
//! column of a data file and so not part of this schema.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// How the values of a column are held and which odd values fit it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    /// Free text.
    Text,
    /// Text of few distinct values, dictionary-encoded.
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
    column("city", ColumnKind::Text, Parent::Location, "City"),
    column("region", ColumnKind::Text, Parent::Location, "Region"),
    column("country", ColumnKind::Text, Parent::Location, "Country"),
    column("postal_code", ColumnKind::Text, Parent::Location, "PostalCode"),
    column("latitude", ColumnKind::Number, Parent::Location, "Latitude"),
    column("longitude", ColumnKind::Number, Parent::Location, "Longitude"),
    column("app_version", ColumnKind::Text, Parent::Demographic, "AppVersion"),
    column("locale", ColumnKind::Text, Parent::Demographic, "Locale"),
    column("make", ColumnKind::Text, Parent::Demographic, "Make"),
    column("model", ColumnKind::Text, Parent::Demographic, "Model"),
    column("model_version", ColumnKind::Text, Parent::Demographic, "ModelVersion"),
    column("platform", ColumnKind::Text, Parent::Demographic, "Platform"),
    column("platform_version", ColumnKind::Text, Parent::Demographic, "PlatformVersion"),
    column("timezone", ColumnKind::Text, Parent::Demographic, "Timezone"),
    column("attributes", ColumnKind::TextLists, Parent::Endpoint, "Attributes"),
    column("metrics", ColumnKind::Numbers, Parent::Endpoint, "Metrics"),
    column("user_id", ColumnKind::Text, Parent::User, "UserId"),
    column("user_attributes", ColumnKind::TextLists, Parent::User, "UserAttributes"),
    column("extra", ColumnKind::Derived, Parent::Endpoint, ""),
    column("piece", ColumnKind::Derived, Parent::Endpoint, ""),
    column("line", ColumnKind::Derived, Parent::Endpoint, ""),
];

/// What a member's name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A column, by its position in [`COLUMNS`].
    Column(usize),
    /// An object whose members are columns.
    Object(Parent),
}

/// The position in [`COLUMNS`] of the column for `member` of `parent`, worked out at compile time.
const fn position(parent: Parent, member: &str) -> usize {
    let mut at = 0;
    while at < COLUMNS.len() {
        if COLUMNS[at].parent as u8 == parent as u8 && same(COLUMNS[at].member, member) {
            return at;
        }
        at += 1;
    }
    panic!("no column has this member")
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut at = 0;
    while at < left.len() {
        if left[at] != right[at] {
            return false;
        }
        at += 1;
    }
    true
}

macro_rules! targets {
    ($key:expr, $parent:expr, [$($member:literal),*]) => {
        match $key {
            $($member => Some(Target::Column(const {
                // A byte literal of ASCII letters is always UTF-8.
                match std::str::from_utf8($member) {
                    Ok(member) => position($parent, member),
                    Err(_) => panic!("member names are ASCII"),
                }
            })),)*
            _ => None,
        }
    };
}

/// Where the member `key` of `parent` belongs; `None` for an unknown one. Keys are exact: `id` is not `Id`.
#[inline]
pub(crate) fn target(parent: Parent, key: &[u8]) -> Option<Target> {
    match parent {
        Parent::Endpoint => match key {
            b"Location" => Some(Target::Object(Parent::Location)),
            b"Demographic" => Some(Target::Object(Parent::Demographic)),
            b"User" => Some(Target::Object(Parent::User)),
            _ => targets!(
                key,
                Parent::Endpoint,
                [
                    b"ChannelType",
                    b"Address",
                    b"EndpointStatus",
                    b"OptOut",
                    b"EffectiveDate",
                    b"Attributes",
                    b"Metrics",
                    b"ApplicationId",
                    b"Id",
                    b"CreationDate",
                    b"CohortId",
                    b"RequestId"
                ]
            ),
        },
        Parent::Location => targets!(
            key,
            Parent::Location,
            [b"City", b"Region", b"Country", b"PostalCode", b"Latitude", b"Longitude"]
        ),
        Parent::Demographic => targets!(
            key,
            Parent::Demographic,
            [
                b"AppVersion",
                b"Locale",
                b"Make",
                b"Model",
                b"ModelVersion",
                b"Platform",
                b"PlatformVersion",
                b"Timezone"
            ]
        ),
        Parent::User => targets!(key, Parent::User, [b"UserId", b"UserAttributes"]),
    }
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

/// The Arrow schema of a data file: every column of the table `endpoints` but the partition column `snapshot`.
///
/// Map entries are named `key_value` with fields `key` and `value`, list items `element`: the names of the Parquet
/// specification, which every reader knows.
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
    Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", value, true)])
}

/// The item of the lists in `attributes` and `user_attributes`: nullable text.
pub(crate) fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
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
    fn keys_are_exact() {
        assert_eq!(target(Parent::Endpoint, b"id"), None);
        assert_eq!(target(Parent::Location, b"Id"), None);
        assert_eq!(target(Parent::Endpoint, b"City"), None);
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
