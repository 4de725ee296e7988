//! `SegmentDimensions`, checked and made ready for evaluation. All criteria have to hold.

use std::collections::HashSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

use crate::audience::Refusal;
use crate::model::{
    AttributeDimension, AttributeType, ComparisonOperator, DimensionType, Duration, EndpointResponse,
    GpsPointDimension, MetricDimension, RecencyDimension, RecencyType, SegmentDemographics,
    SegmentDimensions, SetDimension, TextLists,
};

/// Dimensions that a segment may have.
const DIMENSIONS: usize = 100;

/// The mean radius of the earth.
const EARTH_KILOMETERS: f64 = 6_371.0;

/// Criteria that all have to hold.
#[derive(Debug)]
pub(crate) struct Criteria {
    criteria: Vec<Criterion>,
}

/// One criterion.
#[derive(Debug)]
enum Criterion {
    Attribute {
        name: String,
        of_user: bool,
        test: AttributeTest,
    },
    Metric {
        name: String,
        dimension: MetricDimension,
    },
    /// A member that has one text, which is or is not one of these.
    Member {
        member: Member,
        values: HashSet<String>,
        is_excluded: bool,
    },
    Recency(RecencyDimension),
    Gps {
        point: GpsPointDimension,
        range_in_kilometers: f64,
    },
}

/// A member of an endpoint that has one text.
#[derive(Debug, Clone, Copy)]
enum Member {
    AppVersion,
    Channel,
    /// Endpoints have no member for it: nobody's is one of the values.
    DeviceType,
    Make,
    Model,
    Platform,
    Country,
}

/// What is asked of an attribute's values.
#[derive(Debug)]
enum AttributeTest {
    IsOneOf(HashSet<String>),
    IsNoneOf(HashSet<String>),
    Contains(Vec<String>),
    Before(DateTime<Utc>),
    After(DateTime<Utc>),
    On(NaiveDate),
    Between(DateTime<Utc>, DateTime<Utc>),
}

impl Criteria {
    /// Checks dimensions and makes them ready.
    pub(crate) fn compile(dimensions: &SegmentDimensions) -> Result<Self, Refusal> {
        let mut criteria = Vec::new();
        for (lists, of_user) in [(&dimensions.attributes, false), (&dimensions.user_attributes, true)] {
            for (name, dimension) in lists.iter().flatten() {
                let test = AttributeTest::compile(name, dimension)?;
                criteria.push(Criterion::Attribute { name: name.clone(), of_user, test });
            }
        }
        for (name, dimension) in dimensions.metrics.iter().flatten() {
            criteria.push(Criterion::Metric { name: name.clone(), dimension: *dimension });
        }
        if let Some(demographic) = &dimensions.demographic {
            push_demographic(demographic, &mut criteria)?;
        }
        if let Some(location) = &dimensions.location {
            push_member(Member::Country, location.country.as_ref(), &mut criteria)?;
            if let Some(point) = location.gps_point {
                criteria.push(gps(point)?);
            }
        }
        let recency = dimensions.behavior.as_ref().and_then(|behavior| behavior.recency);
        criteria.extend(recency.map(Criterion::Recency));
        if criteria.len() > DIMENSIONS {
            return Err(Refusal(format!("A segment has at most {DIMENSIONS} dimensions.")));
        }
        Ok(Criteria { criteria })
    }

    /// Whether they hold for every endpoint, as there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.criteria.is_empty()
    }

    /// Whether all of them hold.
    pub(crate) fn hold(&self, endpoint: &EndpointResponse, now: DateTime<Utc>) -> bool {
        self.criteria.iter().all(|criterion| criterion.holds(endpoint, now))
    }
}

impl Criterion {
    fn holds(&self, endpoint: &EndpointResponse, now: DateTime<Utc>) -> bool {
        match self {
            Criterion::Attribute { name, of_user, test } => {
                test.holds(lists(endpoint, *of_user).and_then(|lists| lists.get(name)).map(Vec::as_slice))
            }
            Criterion::Metric { name, dimension } => {
                let metric = endpoint.metrics.as_ref().and_then(|metrics| metrics.get(name));
                metric.is_some_and(|metric| compares(*metric, *dimension))
            }
            Criterion::Member { member, values, is_excluded } => {
                let is_one = member.of(endpoint).is_some_and(|value| values.contains(value));
                is_one != *is_excluded
            }
            Criterion::Recency(recency) => {
                is_recent(endpoint, recency.duration, now) == (recency.recency_type == RecencyType::Active)
            }
            Criterion::Gps { point, range_in_kilometers } => {
                kilometers_from(point, endpoint).is_some_and(|distance| distance <= *range_in_kilometers)
            }
        }
    }
}

impl Member {
    fn of(self, endpoint: &EndpointResponse) -> Option<&str> {
        let demographic = endpoint.demographic.as_ref();
        match self {
            Member::AppVersion => demographic?.app_version.as_deref(),
            Member::Channel => endpoint.channel_type.as_deref(),
            Member::DeviceType => None,
            Member::Make => demographic?.make.as_deref(),
            Member::Model => demographic?.model.as_deref(),
            Member::Platform => demographic?.platform.as_deref(),
            Member::Country => endpoint.location.as_ref()?.country.as_deref(),
        }
    }
}

impl AttributeTest {
    fn compile(name: &str, dimension: &AttributeDimension) -> Result<Self, Refusal> {
        let values = &dimension.values;
        let kind = dimension.attribute_type.unwrap_or(AttributeType::Inclusive);
        let count = match kind {
            AttributeType::Before | AttributeType::After | AttributeType::On => Some(1),
            AttributeType::Between => Some(2),
            _ => None,
        };
        if values.is_empty() || count.is_some_and(|count| count != values.len()) {
            let wanted = count.map_or("at least one value".to_owned(), |count| format!("{count} value(s)"));
            return Err(Refusal(format!("The dimension of {name} must have {wanted}.")));
        }
        let at = |index: usize| {
            instant(&values[index]).ok_or_else(|| {
                Refusal(format!("The dimension of {name} must have dates such as 2026-10-30T00:00:00Z."))
            })
        };
        Ok(match kind {
            AttributeType::Inclusive => AttributeTest::IsOneOf(values.iter().cloned().collect()),
            AttributeType::Exclusive => AttributeTest::IsNoneOf(values.iter().cloned().collect()),
            AttributeType::Contains => AttributeTest::Contains(values.clone()),
            AttributeType::Before => AttributeTest::Before(at(0)?),
            AttributeType::After => AttributeTest::After(at(0)?),
            AttributeType::On => AttributeTest::On(at(0)?.date_naive()),
            AttributeType::Between => AttributeTest::Between(at(0)?, at(1)?),
        })
    }

    /// Whether one of an attribute's values passes, or for `IsNoneOf` none is there that should not be.
    fn holds(&self, values: Option<&[String]>) -> bool {
        let mut values = values.unwrap_or_default().iter();
        let some_date = |test: &dyn Fn(DateTime<Utc>) -> bool| {
            values.clone().filter_map(|value| instant(value)).any(test)
        };
        match self {
            AttributeTest::IsOneOf(wanted) => values.any(|value| wanted.contains(value)),
            AttributeTest::IsNoneOf(unwanted) => !values.any(|value| unwanted.contains(value)),
            AttributeTest::Contains(parts) => {
                values.any(|value| parts.iter().any(|part| value.contains(part.as_str())))
            }
            AttributeTest::Before(date) => some_date(&|value| value < *date),
            AttributeTest::After(date) => some_date(&|value| value > *date),
            AttributeTest::On(day) => some_date(&|value| value.date_naive() == *day),
            AttributeTest::Between(from, to) => some_date(&|value| (*from..=*to).contains(&value)),
        }
    }
}

/// An instant in ISO 8601, with `Z` or an offset.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc))
}

fn lists(endpoint: &EndpointResponse, of_user: bool) -> Option<&TextLists> {
    if of_user { endpoint.user.as_ref()?.user_attributes.as_ref() } else { endpoint.attributes.as_ref() }
}

fn compares(metric: f64, dimension: MetricDimension) -> bool {
    let order = metric.partial_cmp(&dimension.value);
    match dimension.comparison_operator {
        ComparisonOperator::GreaterThan => order.is_some_and(std::cmp::Ordering::is_gt),
        ComparisonOperator::LessThan => order.is_some_and(std::cmp::Ordering::is_lt),
        ComparisonOperator::GreaterThanOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        ComparisonOperator::LessThanOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        ComparisonOperator::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
    }
}

/// Whether the endpoint was updated within the duration: its `EffectiveDate` is all that is known of its activity.
fn is_recent(endpoint: &EndpointResponse, duration: Duration, now: DateTime<Utc>) -> bool {
    let since = match duration {
        Duration::Hours24 => now.checked_sub_signed(TimeDelta::hours(24)),
        Duration::Days7 => now.checked_sub_days(Days::new(7)),
        Duration::Days14 => now.checked_sub_days(Days::new(14)),
        Duration::Days30 => now.checked_sub_days(Days::new(30)),
    };
    let active = endpoint.effective_date.as_deref().and_then(instant);
    active.zip(since).is_some_and(|(active, since)| active >= since)
}

/// The distance along a great circle, where the endpoint has coordinates.
fn kilometers_from(point: &GpsPointDimension, endpoint: &EndpointResponse) -> Option<f64> {
    let location = endpoint.location.as_ref()?;
    let (from, to) = (point.coordinates.latitude.to_radians(), location.latitude?.to_radians());
    let across = (location.longitude? - point.coordinates.longitude).to_radians();
    let half = ((to - from) / 2.0).sin().powi(2) + from.cos() * to.cos() * (across / 2.0).sin().powi(2);
    Some(2.0 * EARTH_KILOMETERS * half.sqrt().min(1.0).asin())
}

fn gps(point: GpsPointDimension) -> Result<Criterion, Refusal> {
    let (latitude, longitude) = (point.coordinates.latitude, point.coordinates.longitude);
    let range = point.range_in_kilometers.filter(|range| *range >= 0.0);
    match range {
        Some(range_in_kilometers) if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 => {
            Ok(Criterion::Gps { point, range_in_kilometers })
        }
        _ => Err(Refusal(
            "GPSPoint must have a Latitude and a Longitude in degrees, and RangeInKilometers of 0 or more."
                .to_owned(),
        )),
    }
}

fn push_demographic(demographic: &SegmentDemographics, criteria: &mut Vec<Criterion>) -> Result<(), Refusal> {
    for (member, dimension) in [
        (Member::AppVersion, &demographic.app_version),
        (Member::Channel, &demographic.channel),
        (Member::DeviceType, &demographic.device_type),
        (Member::Make, &demographic.make),
        (Member::Model, &demographic.model),
        (Member::Platform, &demographic.platform),
    ] {
        push_member(member, dimension.as_ref(), criteria)?;
    }
    Ok(())
}

fn push_member(
    member: Member,
    dimension: Option<&SetDimension>,
    criteria: &mut Vec<Criterion>,
) -> Result<(), Refusal> {
    let Some(dimension) = dimension else { return Ok(()) };
    if dimension.values.is_empty() {
        return Err(Refusal(format!("The dimension of {member:?} must have at least one value.")));
    }
    criteria.push(Criterion::Member {
        member,
        values: dimension.values.iter().cloned().collect(),
        is_excluded: dimension.dimension_type == Some(DimensionType::Exclusive),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = r#"{"ChannelType":"SMS","EffectiveDate":"2026-10-20T00:00:00Z",
        "Location":{"Country":"NO","Latitude":59.9,"Longitude":10.8},"Demographic":{"Platform":"ios","Make":"Apple"},
        "Attributes":{"team":["Angels","Carp"],"since":["yesterday","2026-03-01T10:00:00Z"],"none":[]},
        "Metrics":{"visits":3},"User":{"UserId":"u","UserAttributes":{"plan":["gold"]}}}"#;

    fn hold(dimensions: &str) -> bool {
        let dimensions: SegmentDimensions =
            serde_json::from_str(dimensions).expect("a test's own JSON is sound");
        let endpoint = serde_json::from_str(ENDPOINT).expect("a test's own JSON is sound");
        let now = instant("2026-10-30T00:00:00Z").expect("a date");
        Criteria::compile(&dimensions).expect("accepted").hold(&endpoint, now)
    }

    #[test]
    fn each_dimension_is_what_the_model_says() {
        let attribute = |kind: &str, name: &str, values: &str| {
            format!(r#"{{"Attributes":{{"{name}":{{"AttributeType":"{kind}","Values":{values}}}}}}}"#)
        };
        let metric = |operator: &str, value: f64| {
            format!(r#"{{"Metrics":{{"visits":{{"ComparisonOperator":"{operator}","Value":{value}}}}}}}"#)
        };
        let recency = |kind: &str, duration: &str| {
            format!(r#"{{"Behavior":{{"Recency":{{"RecencyType":"{kind}","Duration":"{duration}"}}}}}}"#)
        };
        let gps = |latitude: f64, longitude: f64, range: f64| {
            format!(
                r#"{{"Location":{{"GPSPoint":{{"Coordinates":{{"Latitude":{latitude},"Longitude":{longitude}}},"RangeInKilometers":{range}}}}}}}"#
            )
        };
        for (dimensions, expected) in [
            ("{}".to_owned(), true),
            (r#"{"Attributes":{"team":{"Values":["Carp"]}}}"#.to_owned(), true),
            (attribute("INCLUSIVE", "team", r#"["carp"]"#), false),
            (attribute("INCLUSIVE", "absent", r#"["x"]"#), false),
            (attribute("EXCLUSIVE", "team", r#"["Carp","x"]"#), false),
            (attribute("EXCLUSIVE", "team", r#"["x"]"#), true),
            (attribute("EXCLUSIVE", "absent", r#"["x"]"#), true),
            (attribute("CONTAINS", "team", r#"["ngel"]"#), true),
            (attribute("CONTAINS", "team", r#"["angel"]"#), false),
            (attribute("BEFORE", "since", r#"["2026-03-01T10:00:01Z"]"#), true),
            (attribute("BEFORE", "since", r#"["2026-03-01T10:00:00Z"]"#), false),
            (attribute("AFTER", "since", r#"["2026-03-01T09:59:59Z"]"#), true),
            (attribute("AFTER", "team", r#"["2026-03-01T09:59:59Z"]"#), false),
            (attribute("ON", "since", r#"["2026-03-01T23:00:00Z"]"#), true),
            (attribute("ON", "since", r#"["2026-03-02T00:00:00Z"]"#), false),
            (attribute("BETWEEN", "since", r#"["2026-02-01T00:00:00Z","2026-03-01T10:00:00Z"]"#), true),
            (attribute("BETWEEN", "since", r#"["2026-04-01T00:00:00Z","2026-05-01T10:00:00Z"]"#), false),
            (r#"{"UserAttributes":{"plan":{"AttributeType":"INCLUSIVE","Values":["gold"]}}}"#.to_owned(), true),
            (r#"{"UserAttributes":{"team":{"AttributeType":"INCLUSIVE","Values":["Carp"]}}}"#.to_owned(), false),
            (metric("GREATER_THAN", 3.0), false),
            (metric("GREATER_THAN_OR_EQUAL", 3.0), true),
            (metric("LESS_THAN", 3.5), true),
            (metric("LESS_THAN_OR_EQUAL", 2.5), false),
            (metric("EQUAL", 3.0), true),
            (r#"{"Metrics":{"absent":{"ComparisonOperator":"LESS_THAN","Value":9}}}"#.to_owned(), false),
            (r#"{"Demographic":{"Channel":{"Values":["SMS","EMAIL"]},"Platform":{"DimensionType":"INCLUSIVE","Values":["ios"]}}}"#.to_owned(), true),
            (r#"{"Demographic":{"Make":{"DimensionType":"EXCLUSIVE","Values":["Apple"]}}}"#.to_owned(), false),
            (r#"{"Demographic":{"Model":{"DimensionType":"EXCLUSIVE","Values":["x"]}}}"#.to_owned(), true),
            (r#"{"Demographic":{"AppVersion":{"Values":["1"]}}}"#.to_owned(), false),
            (r#"{"Demographic":{"DeviceType":{"Values":["phone"]}}}"#.to_owned(), false),
            (r#"{"Location":{"Country":{"Values":["NO"]}}}"#.to_owned(), true),
            (r#"{"Location":{"Country":{"Values":["NO"]}},"Metrics":{"visits":{"ComparisonOperator":"EQUAL","Value":4}}}"#.to_owned(), false),
            // Oslo to Gothenburg is some 254 km.
            (gps(57.7, 12.0, 260.0), true),
            (gps(57.7, 12.0, 250.0), false),
            (recency("ACTIVE", "DAY_14"), true),
            (recency("ACTIVE", "DAY_7"), false),
            (recency("INACTIVE", "DAY_7"), true),
            (recency("INACTIVE", "DAY_30"), false),
            (recency("INACTIVE", "HR_24"), true),
        ] {
            assert_eq!(hold(&dimensions), expected, "{dimensions}");
        }
    }

    #[test]
    fn dimensions_that_mean_nothing_are_refused() {
        for (dimensions, told) in [
            (r#"{"Attributes":{"a":{"Values":[]}}}"#, "The dimension of a must have at least one"),
            (
                r#"{"Attributes":{"a":{"AttributeType":"BETWEEN","Values":["2026-01-01T00:00:00Z"]}}}"#,
                "The dimension of a must have 2",
            ),
            (
                r#"{"Attributes":{"a":{"AttributeType":"AFTER","Values":["soon"]}}}"#,
                "The dimension of a must have dates",
            ),
            (r#"{"Demographic":{"Make":{"Values":[]}}}"#, "The dimension of Make"),
            (
                r#"{"Location":{"GPSPoint":{"Coordinates":{"Latitude":91,"Longitude":0},"RangeInKilometers":1}}}"#,
                "GPSPoint must have",
            ),
            (
                r#"{"Location":{"GPSPoint":{"Coordinates":{"Latitude":9,"Longitude":0}}}}"#,
                "GPSPoint must have",
            ),
        ] {
            let dimensions: SegmentDimensions =
                serde_json::from_str(dimensions).expect("a test's own JSON is sound");
            let refusal = Criteria::compile(&dimensions).err().map(|refusal| refusal.0);
            assert!(refusal.as_deref().is_some_and(|message| message.starts_with(told)), "{refusal:?}");
        }
        let many: Vec<String> = (0..101).map(|number| format!(r#""a{number}":{{"Values":["x"]}}"#)).collect();
        let many: SegmentDimensions =
            serde_json::from_str(&format!(r#"{{"Attributes":{{{}}}}}"#, many.join(","))).expect("sound");
        assert!(Criteria::compile(&many).is_err());
    }
}
