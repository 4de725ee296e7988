//! What a line that is an object means: the table of `product.md`, member by member.

use std::collections::BTreeMap;

use super::json::{self, Kind, Member};
use super::{Cell, Double, date};

#[derive(Clone, Copy)]
enum Wanted {
    Text,
    Instant,
    Number,
    Lists,
    Numbers,
}

use Wanted::{Instant, Lists, Number, Numbers, Text};

/// Object that the member lies in (empty: the endpoint), member, column, type.
const MEMBERS: [(&str, &str, &str, Wanted); 28] = [
    ("", "Id", "id", Text),
    ("", "ApplicationId", "application_id", Text),
    ("", "ChannelType", "channel_type", Text),
    ("", "EndpointStatus", "endpoint_status", Text),
    ("", "OptOut", "opt_out", Text),
    ("", "CohortId", "cohort_id", Text),
    ("", "Address", "address", Text),
    ("", "RequestId", "request_id", Text),
    ("", "CreationDate", "creation_date", Instant),
    ("", "EffectiveDate", "effective_date", Instant),
    ("Location", "City", "city", Text),
    ("Location", "Region", "region", Text),
    ("Location", "Country", "country", Text),
    ("Location", "PostalCode", "postal_code", Text),
    ("Location", "Latitude", "latitude", Number),
    ("Location", "Longitude", "longitude", Number),
    ("Demographic", "AppVersion", "app_version", Text),
    ("Demographic", "Locale", "locale", Text),
    ("Demographic", "Make", "make", Text),
    ("Demographic", "Model", "model", Text),
    ("Demographic", "ModelVersion", "model_version", Text),
    ("Demographic", "Platform", "platform", Text),
    ("Demographic", "PlatformVersion", "platform_version", Text),
    ("Demographic", "Timezone", "timezone", Text),
    ("", "Attributes", "attributes", Lists),
    ("", "Metrics", "metrics", Numbers),
    ("User", "UserId", "user_id", Text),
    ("User", "UserAttributes", "user_attributes", Lists),
];

const OBJECTS: [&str; 3] = ["Location", "Demographic", "User"];

type Cells = BTreeMap<String, Cell>;

/// The columns that a line, which is an object, fills; `extra` among them.
pub(crate) fn read(line: &str) -> Cells {
    let mut cells = Cells::new();
    if let Some(extra) = object("", line, &mut cells) {
        cells.insert("extra".to_owned(), Cell::Text(extra));
    }
    cells
}

/// Places the members of an object; returns those that have no place, as an object.
///
/// `extra` has members in the order of the line, names and values as they stand there, nothing between them: the order and
/// the spaces are the slow path's, the contract asks for the nesting and the values.
fn object(parent: &str, object: &str, cells: &mut Cells) -> Option<String> {
    let mut left = Vec::new();
    for member in json::members(object) {
        let rest = match place_of(parent, member.name.as_deref()) {
            Place::Unknown => Some(member.value.to_owned()),
            _ if Kind::of(member.value) == Kind::Null => None,
            Place::Object(name) if Kind::of(member.value) == Kind::Object => {
                self::object(name, member.value, cells)
            }
            Place::Object(_) => Some(member.value.to_owned()),
            Place::Column(column, wanted) => {
                let (cell, rest) = cell(wanted, member.value);
                if let Some(cell) = cell {
                    cells.insert(column.to_owned(), cell);
                }
                rest
            }
        };
        left.extend(rest.map(|rest| (member, rest)));
    }
    as_object(&left)
}

enum Place {
    Unknown,
    Object(&'static str),
    Column(&'static str, Wanted),
}

fn place_of(parent: &str, name: Option<&str>) -> Place {
    let Some(name) = name else { return Place::Unknown };
    if parent.is_empty()
        && let Some(object) = OBJECTS.into_iter().find(|&object| object == name)
    {
        return Place::Object(object);
    }
    let found = MEMBERS.into_iter().find(|(inside, member, ..)| *inside == parent && *member == name);
    found.map_or(Place::Unknown, |(.., column, wanted)| Place::Column(column, wanted))
}

fn as_object(members: &[(Member<'_>, String)]) -> Option<String> {
    if members.is_empty() {
        return None;
    }
    let members: Vec<String> =
        members.iter().map(|(member, value)| format!("{}:{value}", member.raw_name)).collect();
    Some(format!("{{{}}}", members.join(",")))
}

/// What a value that is not null becomes in its column, and what of it is left for `extra`.
fn cell(wanted: Wanted, value: &str) -> (Option<Cell>, Option<String>) {
    let cell = match wanted {
        Text => text(value).map(Cell::Text),
        Instant => instant(value).map(Cell::Micros),
        Number => number(value).map(Cell::Number),
        Lists if Kind::of(value) == Kind::Object => {
            let (entries, left) = entries(value, list);
            return (Some(Cell::Lists(entries)), left);
        }
        Numbers if Kind::of(value) == Kind::Object => {
            let (entries, left) = entries(value, number);
            return (Some(Cell::Numbers(entries)), left);
        }
        Lists | Numbers => None,
    };
    let left = cell.is_none().then(|| value.to_owned());
    (cell, left)
}

/// The entries of a map that fit, in the order of the line, and the others as an object.
fn entries<T>(object: &str, fit: fn(&str) -> Option<T>) -> (Vec<(String, T)>, Option<String>) {
    let (mut fitting, mut left) = (Vec::new(), Vec::new());
    for member in json::members(object) {
        if let (Some(name), Some(value)) = (&member.name, fit(member.value)) {
            fitting.push((name.clone(), value));
        } else {
            let value = member.value.to_owned();
            left.push((member, value));
        }
    }
    (fitting, as_object(&left))
}

fn text(value: &str) -> Option<String> {
    match Kind::of(value) {
        Kind::String => json::text(value),
        Kind::Number | Kind::Boolean => Some(value.to_owned()),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

fn instant(value: &str) -> Option<i64> {
    if Kind::of(value) == Kind::String { date::micros(&json::text(value)?) } else { None }
}

fn number(value: &str) -> Option<Double> {
    let double = match Kind::of(value) {
        Kind::Number => json::double(value)?,
        Kind::String => {
            json::text(value).filter(|text| json::is_number(text)).and_then(|text| json::double(&text))?
        }
        _ => return None,
    };
    Some(Double(double))
}

fn list(value: &str) -> Option<Vec<Option<String>>> {
    match Kind::of(value) {
        Kind::Null => Some(Vec::new()),
        Kind::Array => json::items(value)
            .into_iter()
            .map(|item| if Kind::of(item) == Kind::Null { Some(None) } else { text(item).map(Some) })
            .collect(),
        _ => text(value).map(|text| vec![Some(text)]),
    }
}
