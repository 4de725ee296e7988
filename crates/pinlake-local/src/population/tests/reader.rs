//! A reader of export lines by the rules of pinlake's documentation, written for these tests alone: slow, plain, and
//! sharing nothing with the writer or with pinlake's decoder.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::population::{Demographic, Endpoint, Location, TextLists, User};

/// Reads one line.
pub(super) fn read(line: &str) -> Endpoint {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let Value::Object(members) = value else { panic!("not an object: {line}") };
    let mut reader = Reader { members, extra: Map::new() };
    let mut endpoint = Endpoint {
        id: reader.text("Id"),
        application_id: reader.text("ApplicationId"),
        channel_type: reader.text("ChannelType"),
        address: reader.text("Address"),
        endpoint_status: reader.text("EndpointStatus"),
        opt_out: reader.text("OptOut"),
        cohort_id: reader.text("CohortId"),
        request_id: reader.text("RequestId"),
        creation_date: reader.date("CreationDate"),
        effective_date: reader.date("EffectiveDate"),
        attributes: reader.lists("Attributes"),
        metrics: reader.metrics(),
        ..Endpoint::default()
    };
    endpoint.location = reader.object("Location", |location| Location {
        city: location.text("City"),
        country: location.text("Country"),
        latitude: location.number("Latitude"),
        longitude: location.number("Longitude"),
        postal_code: location.text("PostalCode"),
        region: location.text("Region"),
    });
    endpoint.demographic = reader.object("Demographic", |demographic| Demographic {
        app_version: demographic.text("AppVersion"),
        locale: demographic.text("Locale"),
        make: demographic.text("Make"),
        model: demographic.text("Model"),
        model_version: demographic.text("ModelVersion"),
        platform: demographic.text("Platform"),
        platform_version: demographic.text("PlatformVersion"),
        timezone: demographic.text("Timezone"),
    });
    endpoint.user = reader.object("User", |user| User {
        user_id: user.text("UserId"),
        user_attributes: user.lists("UserAttributes"),
    });
    endpoint.extra = reader.rest();
    endpoint
}

/// The members of an object that are left to read, and those that fit nowhere.
struct Reader {
    members: Map<String, Value>,
    extra: Map<String, Value>,
}

impl Reader {
    /// A member, if it is there and not null.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            other => self.keep(name, other),
        }
    }

    fn number(&mut self, name: &str) -> Option<f64> {
        match self.take(name)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => match text.parse() {
                Ok(number) => Some(number),
                Err(_) => self.keep(name, Value::String(text)),
            },
            other => self.keep(name, other),
        }
    }

    fn date(&mut self, name: &str) -> Option<DateTime<Utc>> {
        match self.take(name)? {
            Value::String(text) => match DateTime::parse_from_rfc3339(&text) {
                Ok(date) => Some(date.to_utc()),
                Err(_) => self.keep(name, Value::String(text)),
            },
            other => self.keep(name, other),
        }
    }

    fn lists(&mut self, name: &str) -> Option<TextLists> {
        self.object(name, |entries| {
            let names: Vec<String> = entries.members.keys().cloned().collect();
            let mut lists = TextLists::new();
            for name in names {
                match entries.members.remove(&name) {
                    Some(Value::Array(values)) => {
                        let texts = values.into_iter().map(|value| value.as_str().map(str::to_owned));
                        lists.insert(name, texts.collect());
                    }
                    Some(Value::Null) => drop(lists.insert(name, Vec::new())),
                    Some(object @ Value::Object(_)) => drop(entries.keep::<()>(&name, object)),
                    Some(Value::String(text)) => drop(lists.insert(name, vec![Some(text)])),
                    Some(scalar) => drop(lists.insert(name, vec![Some(scalar.to_string())])),
                    None => {}
                }
            }
            lists
        })
    }

    fn metrics(&mut self) -> Option<BTreeMap<String, f64>> {
        self.object("Metrics", |entries| {
            let names: Vec<String> = entries.members.keys().cloned().collect();
            names.into_iter().filter_map(|name| Some((name.clone(), entries.number(&name)?))).collect()
        })
    }

    fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader) -> T) -> Option<T> {
        match self.take(name)? {
            Value::Object(members) => {
                let mut reader = Reader { members, extra: Map::new() };
                let value = read(&mut reader);
                reader.extra.append(&mut reader.members);
                if !reader.extra.is_empty() {
                    self.extra.insert(name.to_owned(), Value::Object(reader.extra));
                }
                Some(value)
            }
            other => self.keep(name, other),
        }
    }

    fn keep<T>(&mut self, name: &str, value: Value) -> Option<T> {
        self.extra.insert(name.to_owned(), value);
        None
    }

    /// Everything that was not read, as a JSON object.
    fn rest(mut self) -> Option<String> {
        self.extra.append(&mut self.members);
        (!self.extra.is_empty()).then(|| Value::Object(self.extra).to_string())
    }
}
