//! CSV as Pinpoint imports it: headers are the dotted paths of members, a repeated header is a further value of a list, an
//! empty cell is absence. Headers that no endpoint has are passed over: console exports have some.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{ImportError, Item};
use crate::model::{EndpointDemographic, EndpointLocation, EndpointResponse, EndpointUser};

/// What a column fills.
#[derive(Debug)]
enum Column {
    Text(fn(&mut EndpointResponse) -> &mut Option<String>),
    Number(fn(&mut EndpointResponse) -> &mut Option<f64>),
    Attribute(String),
    UserAttribute(String),
    Metric(String),
    Unknown,
}

/// Reads the header, and calls `take` with the records, batch by batch.
pub(super) fn each_batch<E: From<ImportError>>(
    bytes: &[u8],
    batch_size: usize,
    mut take: impl FnMut(Vec<Item>) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let (names, columns) = header(&mut reader)?;
    let mut batch = Vec::new();
    let mut record = ByteRecord::new();
    let mut place = Place { bytes, byte: 0, line: 1 };
    loop {
        let line = place.line_of(reader.position().byte());
        match reader.read_byte_record(&mut record) {
            Ok(false) => break,
            Ok(true) => batch.push(Item { line, endpoint: endpoint(&record, &names, &columns) }),
            Err(error) => batch.push(Item { line, endpoint: Err(format!("it cannot be read: {error}")) }),
        }
        if batch.len() == batch_size {
            take(std::mem::take(&mut batch))?;
        }
    }
    if batch.is_empty() { Ok(()) } else { take(batch) }
}

/// Counts lines: the reader's own count does not know the line feed of a CR LF before the next record is read.
struct Place<'a> {
    bytes: &'a [u8],
    byte: usize,
    line: u64,
}

impl Place<'_> {
    /// The line of the first record at or behind a byte, which is not before the last one asked for.
    fn line_of(&mut self, byte: u64) -> u64 {
        let mut to = usize::try_from(byte).unwrap_or(usize::MAX).clamp(self.byte, self.bytes.len());
        while self.bytes.get(to).is_some_and(|byte| matches!(byte, b'\r' | b'\n')) {
            to += 1;
        }
        self.line += memchr::memchr_iter(b'\n', &self.bytes[self.byte..to]).count() as u64;
        self.byte = to;
        self.line
    }
}

/// The headers and what their columns fill; one at least must be of an endpoint.
fn header(reader: &mut Reader<&[u8]>) -> Result<(Vec<String>, Vec<Column>), ImportError> {
    let error = |reason: &str| ImportError::Header { reason: reason.to_owned() };
    let header = reader.headers().map_err(|cause| error(&cause.to_string()))?;
    let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let columns: Vec<Column> = names.iter().map(|name| column(name)).collect();
    if columns.iter().all(|column| matches!(column, Column::Unknown)) {
        return Err(error("no column has the path of an endpoint's member, such as Address or User.UserId"));
    }
    Ok((names, columns))
}

/// What a header's column fills.
fn column(name: &str) -> Column {
    if let Some(name) = name.strip_prefix("Attributes.") {
        return Column::Attribute(name.to_owned());
    }
    if let Some(name) = name.strip_prefix("User.UserAttributes.") {
        return Column::UserAttribute(name.to_owned());
    }
    if let Some(name) = name.strip_prefix("Metrics.") {
        return Column::Metric(name.to_owned());
    }
    match name {
        "Location.Latitude" => Column::Number(|endpoint| &mut location(endpoint).latitude),
        "Location.Longitude" => Column::Number(|endpoint| &mut location(endpoint).longitude),
        _ => text_column(name).map_or(Column::Unknown, Column::Text),
    }
}

/// The member of one text that a path names.
fn text_column(name: &str) -> Option<fn(&mut EndpointResponse) -> &mut Option<String>> {
    Some(match name {
        "Id" => |endpoint| &mut endpoint.id,
        "Address" => |endpoint| &mut endpoint.address,
        "ApplicationId" => |endpoint| &mut endpoint.application_id,
        "ChannelType" => |endpoint| &mut endpoint.channel_type,
        "CohortId" => |endpoint| &mut endpoint.cohort_id,
        "CreationDate" => |endpoint| &mut endpoint.creation_date,
        "EffectiveDate" => |endpoint| &mut endpoint.effective_date,
        "EndpointStatus" => |endpoint| &mut endpoint.endpoint_status,
        "OptOut" => |endpoint| &mut endpoint.opt_out,
        "RequestId" => |endpoint| &mut endpoint.request_id,
        "Location.City" => |endpoint| &mut location(endpoint).city,
        "Location.Country" => |endpoint| &mut location(endpoint).country,
        "Location.PostalCode" => |endpoint| &mut location(endpoint).postal_code,
        "Location.Region" => |endpoint| &mut location(endpoint).region,
        "Demographic.AppVersion" => |endpoint| &mut demographic(endpoint).app_version,
        "Demographic.Locale" => |endpoint| &mut demographic(endpoint).locale,
        "Demographic.Make" => |endpoint| &mut demographic(endpoint).make,
        "Demographic.Model" => |endpoint| &mut demographic(endpoint).model,
        "Demographic.ModelVersion" => |endpoint| &mut demographic(endpoint).model_version,
        "Demographic.Platform" => |endpoint| &mut demographic(endpoint).platform,
        "Demographic.PlatformVersion" => |endpoint| &mut demographic(endpoint).platform_version,
        "Demographic.Timezone" => |endpoint| &mut demographic(endpoint).timezone,
        "User.UserId" => |endpoint| &mut user(endpoint).user_id,
        _ => return None,
    })
}

fn location(endpoint: &mut EndpointResponse) -> &mut EndpointLocation {
    endpoint.location.get_or_insert_default()
}

fn demographic(endpoint: &mut EndpointResponse) -> &mut EndpointDemographic {
    endpoint.demographic.get_or_insert_default()
}

fn user(endpoint: &mut EndpointResponse) -> &mut EndpointUser {
    endpoint.user.get_or_insert_default()
}

/// The endpoint of a record.
fn endpoint(record: &ByteRecord, names: &[String], columns: &[Column]) -> Result<EndpointResponse, String> {
    if record.len() != columns.len() {
        return Err(format!("it has {} cells, and the header {}", record.len(), columns.len()));
    }
    let mut endpoint = EndpointResponse::default();
    for ((cell, name), column) in record.iter().zip(names).zip(columns) {
        if cell.is_empty() {
            continue;
        }
        let cell = std::str::from_utf8(cell).map_err(|_| format!("{name} is not UTF-8"))?;
        let number = || {
            let number = cell.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("{name} is no number"))
        };
        match column {
            Column::Text(member) => *member(&mut endpoint) = Some(cell.to_owned()),
            Column::Number(member) => *member(&mut endpoint) = Some(number()?),
            Column::Metric(name) => {
                endpoint.metrics.get_or_insert_default().insert(name.clone(), number()?);
            }
            Column::Attribute(name) => {
                endpoint
                    .attributes
                    .get_or_insert_default()
                    .entry(name.clone())
                    .or_default()
                    .push(cell.to_owned());
            }
            Column::UserAttribute(name) => {
                let lists = user(&mut endpoint).user_attributes.get_or_insert_default();
                lists.entry(name.clone()).or_default().push(cell.to_owned());
            }
            Column::Unknown => {}
        }
    }
    Ok(endpoint)
}
