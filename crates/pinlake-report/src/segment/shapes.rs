//! The shapes of Pinpoint's model that say who belongs to a segment.
//!
//! A rule that is not understood must not be passed over, for the answer would be wrong without a word. So these shapes have no
//! members but the model's, take no list for an object, and have no name twice.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::de::{Error as _, value::MapAccessDeserializer};

/// `SegmentDimensions`: an endpoint belongs if all of them hold.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Dimensions {
    pub(super) attributes: Option<Named<AttributeDimension>>,
    #[serde(deserialize_with = "object")]
    pub(super) behavior: Option<Behavior>,
    #[serde(deserialize_with = "object")]
    pub(super) demographic: Option<Demographic>,
    #[serde(deserialize_with = "object")]
    pub(super) location: Option<Location>,
    pub(super) metrics: Option<Named<MetricDimension>>,
    pub(super) user_attributes: Option<Named<AttributeDimension>>,
}

/// `AttributeDimension`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct AttributeDimension {
    pub(super) attribute_type: Option<AttributeType>,
    pub(super) values: Vec<String>,
}

/// `AttributeType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AttributeType {
    Inclusive,
    Exclusive,
    Contains,
    Before,
    After,
    On,
    Between,
}

/// `SegmentBehaviors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Behavior {
    #[serde(deserialize_with = "object")]
    pub(super) recency: Option<Recency>,
}

/// `RecencyDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Recency {
    pub(super) duration: Duration,
    pub(super) recency_type: RecencyType,
}

/// `Duration`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Duration {
    #[serde(rename = "HR_24")]
    Hours24,
    #[serde(rename = "DAY_7")]
    Days7,
    #[serde(rename = "DAY_14")]
    Days14,
    #[serde(rename = "DAY_30")]
    Days30,
}

/// `RecencyType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum RecencyType {
    Active,
    Inactive,
}

/// `SegmentDemographics`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Demographic {
    #[serde(deserialize_with = "object")]
    pub(super) app_version: Option<SetDimension>,
    #[serde(deserialize_with = "object")]
    pub(super) channel: Option<SetDimension>,
    #[serde(deserialize_with = "object")]
    pub(super) device_type: Option<SetDimension>,
    #[serde(deserialize_with = "object")]
    pub(super) make: Option<SetDimension>,
    #[serde(deserialize_with = "object")]
    pub(super) model: Option<SetDimension>,
    #[serde(deserialize_with = "object")]
    pub(super) platform: Option<SetDimension>,
}

/// `SetDimension`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetDimension {
    pub(super) dimension_type: Option<DimensionType>,
    pub(super) values: Vec<String>,
}

/// `DimensionType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum DimensionType {
    Inclusive,
    Exclusive,
}

/// `SegmentLocation`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct Location {
    #[serde(deserialize_with = "object")]
    pub(super) country: Option<SetDimension>,
    #[serde(rename = "GPSPoint", deserialize_with = "object")]
    pub(super) gps_point: Option<GpsPoint>,
}

/// `GPSPointDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GpsPoint {
    #[serde(default, deserialize_with = "object")]
    pub(super) coordinates: Option<Coordinates>,
    pub(super) range_in_kilometers: Option<f64>,
}

/// `GPSCoordinates`, in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Coordinates {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// `MetricDimension`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct MetricDimension {
    pub(super) comparison_operator: ComparisonOperator,
    pub(super) value: f64,
}

/// The values of `MetricDimension.ComparisonOperator`, which is a plain text in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum ComparisonOperator {
    GreaterThan,
    LessThan,
    GreaterThanOrEqual,
    LessThanOrEqual,
    Equal,
}

/// `SegmentGroupList`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct SegmentGroups {
    #[serde(deserialize_with = "objects")]
    pub(super) groups: Vec<SegmentGroup>,
    pub(super) include: Option<Quantifier>,
}

/// `SegmentGroup`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(super) struct SegmentGroup {
    #[serde(deserialize_with = "objects")]
    pub(super) dimensions: Vec<Dimensions>,
    #[serde(deserialize_with = "objects")]
    pub(super) source_segments: Vec<SegmentReference>,
    pub(super) source_type: Option<Quantifier>,
    #[serde(rename = "Type")]
    pub(super) dimensions_type: Option<Quantifier>,
}

/// `SegmentReference`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SegmentReference {
    pub(super) id: String,
    pub(super) version: Option<u32>,
}

/// `Include`, `SourceType` and `Type`: how many of several have to be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Quantifier {
    #[default]
    All,
    Any,
    None,
}

/// Things by name, each name once: a parser that keeps the last of two would pass over a rule.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named<T>(BTreeMap<String, T>);

impl<T> Named<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.0.iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamedVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
            type Value = Named<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of dimensions by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut named = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let value = map.next_value::<Object<T>>()?.0;
                    if named.contains_key(&name) {
                        return Err(A::Error::custom(format_args!("the dimension `{name}` is given twice")));
                    }
                    named.insert(name, value);
                }
                Ok(Named(named))
            }
        }
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

/// Something that stands as an object. A derived reader takes a list for one too, and an empty list for one without members.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// An object, or `null` for none.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(deserializer)?.map(|object| object.0))
}

/// A list of objects, or `null` for none.
pub(super) fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects: Option<Vec<Object<T>>> = Deserialize::deserialize(deserializer)?;
    Ok(objects.unwrap_or_default().into_iter().map(|object| object.0).collect())
}
