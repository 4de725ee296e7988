//! Seeded definitions of segments: every kind of dimension with values that the audience has, nearly has and has not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::audience::{DATES, TEXTS};
use crate::harness::Dice;

/// Draws definitions.
pub(super) struct Draw {
    dice: Dice,
    /// The texts of the audience by where they stand, such as `Attributes/plan` or `Location/Country`.
    texts: BTreeMap<String, Vec<String>>,
    lines: Vec<Value>,
    /// The endpoint that the dimensions at hand are drawn after, most of the time: few others would pass several of them.
    model: Value,
    /// Ids of segments to stand on, with the number of their versions.
    pub(super) sources: Vec<(String, u64)>,
}

impl Draw {
    /// With the values of these lines.
    pub(super) fn new(seed: u64, lines: &[String]) -> Self {
        let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in lines {
            let line: Value = serde_json::from_str(line).unwrap();
            for path in ["Attributes", "User/UserAttributes", "Location", "Demographic", "Metrics"] {
                let members = line.pointer(&format!("/{path}")).and_then(Value::as_object);
                for (name, value) in members.into_iter().flatten() {
                    let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                    let values = values.iter().filter_map(|value| value.as_str().map(str::to_owned));
                    texts.entry(format!("{path}/{name}")).or_default().extend(values);
                }
            }
            texts
                .entry("/ChannelType".to_owned())
                .or_default()
                .extend(line["ChannelType"].as_str().map(str::to_owned));
        }
        let texts = texts.into_iter().map(|(path, texts)| (path, texts.into_iter().collect())).collect();
        let lines = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        Self { dice: Dice::new(seed), texts, lines, model: json!({}), sources: Vec::new() }
    }

    /// A body of `CreateSegment`: dimensions, or groups where there is something to stand on.
    pub(super) fn definition(&mut self) -> Value {
        if self.dice.is_one_of_hundred(45) {
            json!({"Name": "drawn", "Dimensions": self.dimensions()})
        } else {
            json!({"SegmentGroups": self.groups()})
        }
    }

    pub(super) fn dimensions(&mut self) -> Value {
        let mut dimensions = Map::new();
        let endpoint = usize::try_from(self.dice.below(self.lines.len() as u64)).unwrap();
        self.model = if self.dice.is_one_of_hundred(75) { self.lines[endpoint].clone() } else { json!({}) };
        for _ in 0..self.pick(&[0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 5]) {
            let (path, value) = match self.dice.below(9) {
                0 | 1 => self.attribute("Attributes"),
                2 => self.attribute("User/UserAttributes"),
                3 => self.metric(),
                4 | 5 => {
                    let mut members =
                        vec!["AppVersion", "Channel", "DeviceType", "Make", "Model", "Platform"];
                    let own = self.members("Demographic");
                    members.retain(|member| {
                        own.is_empty() || *member == "Channel" || own.iter().any(|known| known == member)
                    });
                    let member = self.pick(&members);
                    let values = if member == "Channel" {
                        "/ChannelType".to_owned()
                    } else {
                        format!("Demographic/{member}")
                    };
                    (["Demographic", member].map(str::to_owned).to_vec(), self.set(&values))
                }
                6 => (["Location", "Country"].map(str::to_owned).to_vec(), self.set("Location/Country")),
                7 => (["Location", "GPSPoint"].map(str::to_owned).to_vec(), self.point()),
                _ => (["Behavior", "Recency"].map(str::to_owned).to_vec(), self.recency()),
            };
            let inner = dimensions.entry(path[0].clone()).or_insert_with(|| json!({}));
            inner[&path[1]] = value;
        }
        Value::Object(dimensions)
    }

    fn groups(&mut self) -> Value {
        let mut list = Map::new();
        let groups: Vec<Value> =
            (0..self.pick(&[0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3])).map(|_| self.group()).collect();
        if !groups.is_empty() {
            list.insert("Groups".to_owned(), json!(groups));
        }
        self.quantifier("Include", &mut list);
        Value::Object(list)
    }

    fn group(&mut self) -> Value {
        let mut group = Map::new();
        let dimensions: Vec<Value> =
            (0..self.pick(&[0, 1, 1, 1, 1, 2, 2, 3])).map(|_| self.dimensions()).collect();
        group.insert("Dimensions".to_owned(), json!(dimensions));
        let count = if self.sources.is_empty() { 0 } else { self.pick(&[0, 0, 1, 1, 2, 3]) };
        let sources: Vec<Value> = (0..count).map(|_| self.source()).collect();
        group.insert("SourceSegments".to_owned(), json!(sources));
        self.quantifier("Type", &mut group);
        self.quantifier("SourceType", &mut group);
        Value::Object(group)
    }

    fn source(&mut self) -> Value {
        let (id, versions) = self.pick(&self.sources.clone());
        match self.dice.below(3) {
            0 => json!({ "Id": id }),
            _ => json!({"Id": id, "Version": self.dice.below(versions) + 1}),
        }
    }

    fn quantifier(&mut self, member: &str, into: &mut Map<String, Value>) {
        match self.pick(&["", "ALL", "ANY", "ANY", "ANY", "NONE"]) {
            "" => {}
            value => drop(into.insert(member.to_owned(), json!(value))),
        }
    }

    fn attribute(&mut self, path: &str) -> (Vec<String>, Value) {
        let names: Vec<String> = self
            .texts
            .keys()
            .filter_map(|known| known.strip_prefix(&format!("{path}/")))
            .map(str::to_owned)
            .collect();
        let own = self.members(path);
        let name = match self.dice.below(10) {
            0 => "absent".to_owned(),
            1..=3 => "joined".to_owned(),
            4..=7 if !own.is_empty() => self.pick(&own),
            4 | 5 => "tier".to_owned(),
            _ => self.pick(&names),
        };
        let values = format!("{path}/{name}");
        let texts = ["", "INCLUSIVE", "EXCLUSIVE", "CONTAINS", "CONTAINS"];
        let dates = ["BEFORE", "AFTER", "ON", "BETWEEN"];
        // Few attributes are dates, and the others pass no test of dates.
        let is_of_dates = self.dice.is_one_of_hundred(if name == "joined" { 60 } else { 5 });
        let dimension = match if is_of_dates { self.pick(&dates) } else { self.pick(&texts) } {
            "" => json!({"Values": self.values(&values)}),
            kind @ ("INCLUSIVE" | "EXCLUSIVE") => {
                json!({"AttributeType": kind, "Values": self.values(&values)})
            }
            "CONTAINS" => {
                let parts: Vec<String> = self.values(&values).iter().map(|value| self.part(value)).collect();
                json!({"AttributeType": "CONTAINS", "Values": parts})
            }
            "BETWEEN" => {
                let mut dates = [self.date(&values), self.date(&values)];
                if self.dice.is_one_of_hundred(80) {
                    dates.sort_by_key(|date| chrono::DateTime::parse_from_rfc3339(date).unwrap());
                }
                json!({"AttributeType": "BETWEEN", "Values": dates})
            }
            kind => json!({"AttributeType": kind, "Values": [self.date(&values)]}),
        };
        let member = path.rsplit('/').next().unwrap().to_owned();
        (vec![member, name], dimension)
    }

    fn set(&mut self, path: &str) -> Value {
        let values = self.values(path);
        match self.pick(&["", "INCLUSIVE", "EXCLUSIVE"]) {
            "" => json!({"Values": values}),
            kind => json!({"DimensionType": kind, "Values": values}),
        }
    }

    fn metric(&mut self) -> (Vec<String>, Value) {
        let own = self.members("Metrics");
        let name = if own.is_empty() {
            self.pick(&["visits", "sessions", "spend", "absent"]).to_owned()
        } else {
            self.pick(&own)
        };
        let operator =
            self.pick(&["GREATER_THAN", "LESS_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN_OR_EQUAL", "EQUAL"]);
        let value = match self.dice.below(3) {
            0 => self.pick(&[0.0, -0.0, 1e-9, 3.0, 6.0, -5.0, 1e300, 150.0, 0.1]),
            1 => self.model["Metrics"][&name].as_f64().unwrap_or(6.0),
            _ => self.dice.below(400) as f64,
        };
        (vec!["Metrics".to_owned(), name], json!({"ComparisonOperator": operator, "Value": value}))
    }

    fn point(&mut self) -> Value {
        let places = [
            (59.9, 10.8),
            (34.4, 132.5),
            (51.5, -0.1),
            (90.0, 0.0),
            (-90.0, 77.0),
            (0.0, 180.0),
            (0.0, -179.95),
            (0.0, 0.0),
        ];
        let own = |member: &str| self.model["Location"][member].as_f64();
        let near = own("Latitude")
            .zip(own("Longitude"))
            .filter(|(latitude, longitude)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0);
        let (latitude, longitude) = near.unwrap_or_else(|| self.pick(&places));
        let range = self.pick(&[0.0, 0.5, 12.0, 150.0, 2_500.0, 9_000.0, 20_100.0]);
        json!({"Coordinates": {"Latitude": latitude, "Longitude": longitude}, "RangeInKilometers": range})
    }

    fn recency(&mut self) -> Value {
        let duration = self.pick(&["HR_24", "DAY_7", "DAY_14", "DAY_30"]);
        json!({"Duration": duration, "RecencyType": self.pick(&["ACTIVE", "INACTIVE"])})
    }

    /// Some texts that stand there, or nearly.
    fn values(&mut self, path: &str) -> Vec<String> {
        let known = self.texts.get(path).cloned().unwrap_or_default();
        let count = self.pick(&[1, 1, 2, 3, 8]);
        let own = self.own(path);
        let one = |draw: &mut Self| match draw.dice.below(12) {
            0 => draw.pick(&TEXTS).to_owned(),
            1..=7 if !own.is_empty() => draw.pick(&own),
            _ if known.is_empty() => "x".to_owned(),
            1 => draw.pick(&known).to_uppercase(),
            _ => draw.pick(&known),
        };
        (0..count).map(|_| one(self)).collect()
    }

    /// The names of the model's members that stand there.
    fn members(&self, path: &str) -> Vec<String> {
        let members = self.model.pointer(&format!("/{path}")).and_then(Value::as_object);
        members.into_iter().flat_map(Map::keys).cloned().collect()
    }

    /// The model's texts that stand there.
    fn own(&self, path: &str) -> Vec<String> {
        // A name may hold what a pointer would take for its own.
        let (folder, name) = path.rsplit_once('/').unwrap();
        let members =
            if folder.is_empty() { Some(&self.model) } else { self.model.pointer(&format!("/{folder}")) };
        let value = members.and_then(|members| members.get(name)).cloned().unwrap_or_default();
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
        values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// A part of a text, at times none of it.
    fn part(&mut self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let start = usize::try_from(self.dice.below(letters.len() as u64 + 1)).unwrap().min(letters.len());
        let length = usize::try_from(self.dice.below(3) + 1).unwrap();
        letters[start..].iter().take(length).collect()
    }

    /// A date as a definition must have it, often one that stands there.
    fn date(&mut self, path: &str) -> String {
        let mut dates = self.own(path);
        dates.retain(|date| is_date(date));
        if dates.is_empty() || self.dice.is_one_of_hundred(50) {
            dates.extend(DATES.into_iter().filter(|date| is_date(date)).map(str::to_owned));
        }
        self.pick(&dates)
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.dice.below(from.len() as u64)).unwrap()].clone()
    }
}

fn is_date(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}
