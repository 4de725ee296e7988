//! `SegmentDimensions`, checked and made ready: criteria that all have to hold.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::SegmentError;
use super::shapes::{
    AttributeDimension, AttributeType, Coordinates, Demographic, DimensionType, Dimensions, Duration,
    GpsPoint, MetricDimension, Named, Recency, RecencyType, SetDimension,
};

/// Dimensions that a set of them may have.
const DIMENSIONS: usize = 100;

/// The column that recency goes by: the one trace of activity that an export has.
pub(super) const ACTIVITY: &str = "effective_date";

/// The columns that a circle is about.
pub(super) const PLACE: [&str; 2] = ["latitude", "longitude"];

/// Criteria that all have to hold, by what they look at.
#[derive(Debug)]
pub(super) struct Criteria {
    pub(super) attributes: Arc<[(String, ListTest)]>,
    pub(super) user_attributes: Arc<[(String, ListTest)]>,
    pub(super) metrics: Vec<(String, MetricDimension)>,
    pub(super) texts: Vec<TextTest>,
    pub(super) activity: Option<ActivityTest>,
    pub(super) circle: Option<Circle>,
}

/// What is asked of the values of an attribute.
#[derive(Debug)]
pub(super) enum ListTest {
    AnyOf(HashSet<String>),
    NoneOf(HashSet<String>),
    Contains(Vec<String>),
    Before(DateTime<Utc>),
    After(DateTime<Utc>),
    On(NaiveDate),
    Between(DateTime<Utc>, DateTime<Utc>),
}

/// Whether a column's text is, or is not, one of these.
#[derive(Debug)]
pub(super) struct TextTest {
    /// None: endpoints have no such member, so that nobody's is one of the values.
    pub(super) column: Option<&'static str>,
    pub(super) values: Vec<String>,
    pub(super) is_excluded: bool,
}

/// Whether an endpoint was, or was not, updated within so long before the moment of evaluation.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActivityTest {
    pub(super) within: TimeDelta,
    pub(super) is_excluded: bool,
}

/// A place and what lies around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circle {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    pub(super) kilometers: f64,
}

impl Criteria {
    /// Checks the dimensions of `segment`, which is what messages call it.
    pub(super) fn compile(dimensions: &Dimensions, segment: &str) -> Result<Self, SegmentError> {
        let demand = Demand { segment };
        let location = dimensions.location.as_ref();
        let mut texts = Vec::new();
        for (dimension, column, set) in text_dimensions(dimensions.demographic.as_ref()) {
            texts.extend(demand.text(dimension, column, set)?);
        }
        let country = location.and_then(|location| location.country.as_ref());
        texts.extend(demand.text("Location.Country", Some("country"), country)?);
        let circle = location.and_then(|location| location.gps_point);
        let metrics = dimensions.metrics.iter().flat_map(Named::iter);
        let recency = dimensions.behavior.as_ref().and_then(|behavior| behavior.recency);
        let criteria = Self {
            attributes: demand.lists("Attributes", dimensions.attributes.as_ref())?,
            user_attributes: demand.lists("UserAttributes", dimensions.user_attributes.as_ref())?,
            metrics: metrics.map(|(name, dimension)| (name.clone(), *dimension)).collect(),
            texts,
            activity: recency.map(ActivityTest::new),
            circle: circle.map(|point| demand.circle(point)).transpose()?,
        };
        match criteria.len() {
            count if count > DIMENSIONS => {
                Err(SegmentError::Dimensions { segment: segment.to_owned(), count, limit: DIMENSIONS })
            }
            _ => Ok(criteria),
        }
    }

    /// What they look at: columns, and of maps `COLUMN.ENTRY`.
    pub(super) fn fields(&self) -> Vec<String> {
        let entry = |column: &str, name: &String| format!("{column}.{name}");
        let mut fields: Vec<String> =
            self.attributes.iter().map(|(name, _)| entry("attributes", name)).collect();
        fields.extend(self.user_attributes.iter().map(|(name, _)| entry("user_attributes", name)));
        fields.extend(self.metrics.iter().map(|(name, _)| entry("metrics", name)));
        let texts = self.texts.iter().filter_map(|test| test.column);
        let activity = self.activity.iter().map(|_| ACTIVITY);
        let place = self.circle.iter().flat_map(|_| PLACE);
        fields.extend(texts.chain(activity).chain(place).map(str::to_owned));
        fields
    }

    fn len(&self) -> usize {
        self.attributes.len()
            + self.user_attributes.len()
            + self.metrics.len()
            + self.texts.len()
            + usize::from(self.activity.is_some())
            + usize::from(self.circle.is_some())
    }
}

/// The dimensions of one text each, with their columns.
fn text_dimensions(
    demographic: Option<&Demographic>,
) -> impl Iterator<Item = (&'static str, Option<&'static str>, Option<&SetDimension>)> {
    demographic.into_iter().flat_map(|demographic| {
        [
            ("Demographic.AppVersion", Some("app_version"), demographic.app_version.as_ref()),
            ("Demographic.Channel", Some("channel_type"), demographic.channel.as_ref()),
            ("Demographic.DeviceType", None, demographic.device_type.as_ref()),
            ("Demographic.Make", Some("make"), demographic.make.as_ref()),
            ("Demographic.Model", Some("model"), demographic.model.as_ref()),
            ("Demographic.Platform", Some("platform"), demographic.platform.as_ref()),
        ]
    })
}

/// What is asked of the dimensions of one definition, which errors name.
struct Demand<'a> {
    segment: &'a str,
}

impl Demand<'_> {
    fn refusal(&self, dimension: &str, wanted: &'static str) -> SegmentError {
        SegmentError::Dimension { segment: self.segment.to_owned(), dimension: dimension.to_owned(), wanted }
    }

    fn lists(
        &self,
        member: &str,
        dimensions: Option<&Named<AttributeDimension>>,
    ) -> Result<Arc<[(String, ListTest)]>, SegmentError> {
        let all = dimensions.into_iter().flat_map(Named::iter);
        all.map(|(name, dimension)| {
            let test = ListTest::compile(dimension);
            let test = test.map_err(|wanted| self.refusal(&format!("{member}.{name}"), wanted))?;
            Ok((name.clone(), test))
        })
        .collect()
    }

    fn text(
        &self,
        dimension: &str,
        column: Option<&'static str>,
        set: Option<&SetDimension>,
    ) -> Result<Option<TextTest>, SegmentError> {
        let Some(set) = set else { return Ok(None) };
        if set.values.is_empty() {
            return Err(self.refusal(dimension, "at least one value"));
        }
        let is_excluded = set.dimension_type == Some(DimensionType::Exclusive);
        Ok(Some(TextTest { column, values: set.values.clone(), is_excluded }))
    }

    fn circle(&self, point: GpsPoint) -> Result<Circle, SegmentError> {
        let range = point.range_in_kilometers.filter(|range| *range >= 0.0);
        match (point.coordinates, range) {
            (Some(Coordinates { latitude, longitude }), Some(kilometers))
                if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 =>
            {
                Ok(Circle { latitude, longitude, kilometers })
            }
            _ => Err(self.refusal(
                "Location.GPSPoint",
                "Coordinates with Latitude and Longitude in degrees, and RangeInKilometers of 0 or more",
            )),
        }
    }
}

impl ListTest {
    /// The test, or what the dimension must have to be one.
    fn compile(dimension: &AttributeDimension) -> Result<Self, &'static str> {
        let values = &dimension.values;
        let date = |text: &String| instant(text).ok_or("dates such as 2026-10-30T00:00:00Z");
        let one = || match values.as_slice() {
            [value] => date(value),
            _ => Err("one value"),
        };
        Ok(match dimension.attribute_type.unwrap_or(AttributeType::Inclusive) {
            AttributeType::Inclusive | AttributeType::Exclusive | AttributeType::Contains
                if values.is_empty() =>
            {
                return Err("at least one value");
            }
            AttributeType::Inclusive => Self::AnyOf(values.iter().cloned().collect()),
            AttributeType::Exclusive => Self::NoneOf(values.iter().cloned().collect()),
            AttributeType::Contains => Self::Contains(values.clone()),
            AttributeType::Before => Self::Before(one()?),
            AttributeType::After => Self::After(one()?),
            AttributeType::On => Self::On(one()?.date_naive()),
            AttributeType::Between => match values.as_slice() {
                [from, to] => Self::Between(date(from)?, date(to)?),
                _ => return Err("two values"),
            },
        })
    }

    /// Whether it holds for the values of an attribute; an attribute that is absent has none.
    pub(super) fn holds<'a>(&self, mut values: impl Iterator<Item = &'a str>) -> bool {
        match self {
            Self::AnyOf(wanted) => values.any(|value| wanted.contains(value)),
            Self::NoneOf(unwanted) => !values.any(|value| unwanted.contains(value)),
            Self::Contains(parts) => {
                values.any(|value| parts.iter().any(|part| value.contains(part.as_str())))
            }
            Self::Before(date) => values.filter_map(instant).any(|value| value < *date),
            Self::After(date) => values.filter_map(instant).any(|value| value > *date),
            Self::On(day) => values.filter_map(instant).any(|value| value.date_naive() == *day),
            Self::Between(from, to) => values.filter_map(instant).any(|value| *from <= value && value <= *to),
        }
    }
}

impl ActivityTest {
    fn new(recency: Recency) -> Self {
        let within = match recency.duration {
            Duration::Hours24 => TimeDelta::hours(24),
            Duration::Days7 => TimeDelta::days(7),
            Duration::Days14 => TimeDelta::days(14),
            Duration::Days30 => TimeDelta::days(30),
        };
        Self { within, is_excluded: recency.recency_type == RecencyType::Inactive }
    }
}

/// An instant in the form of RFC 3339, with `Z` or an offset.
fn instant(text: impl AsRef<str>) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(text.as_ref()).ok()?.with_timezone(&Utc))
}
