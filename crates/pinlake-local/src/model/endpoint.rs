//! An endpoint: an address on a channel, and what is known about whoever is behind it.
//!
//! Reading is as lenient as Pinpoint and its exports are: `null` is absence, a number or a truth value is taken as text
//! where text is due, a single value as a list of one. Writing has the order of members that real exports have.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Named lists of texts: `Attributes` and `UserAttributes`.
pub(crate) type TextLists = BTreeMap<String, Vec<String>>;

/// `EndpointResponse`. With other members absent it is an `EndpointRequest` or an `EndpointBatchItem`, too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointResponse {
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) channel_type: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// `ACTIVE` or `INACTIVE`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) endpoint_status: Option<String>,
    /// `ALL` or `NONE`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) opt_out: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location: Option<EndpointLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) demographic: Option<EndpointDemographic>,
    /// When it was last updated, as the client said or the server saw: ISO 8601.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) effective_date: Option<String>,
    #[serde(deserialize_with = "text_lists", skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<TextLists>,
    #[serde(deserialize_with = "numbers", skip_serializing_if = "Option::is_none")]
    pub(crate) metrics: Option<BTreeMap<String, f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<EndpointUser>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) application_id: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<String>,
    /// `0` to `99`.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) cohort_id: Option<String>,
    /// The last request that changed it.
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
}

/// `EndpointLocation`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointLocation {
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) city: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    /// Degrees.
    #[serde(deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub(crate) latitude: Option<f64>,
    /// Degrees.
    #[serde(deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub(crate) longitude: Option<f64>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) postal_code: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

/// `EndpointDemographic`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointDemographic {
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) app_version: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) make: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) model_version: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) platform_version: Option<String>,
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<String>,
}

/// `EndpointUser`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct EndpointUser {
    #[serde(deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(deserialize_with = "text_lists", skip_serializing_if = "Option::is_none")]
    pub(crate) user_attributes: Option<TextLists>,
}

impl EndpointResponse {
    /// Reads a line of an export. A member that is not of its type is absent, as those beside it must not be lost for it.
    pub(crate) fn from_line(line: &[u8]) -> Result<Self, serde_json::Error> {
        match serde_json::from_slice(line) {
            Err(error) if error.is_data() => {
                let fitting = fitting(&mut Vec::new(), serde_json::from_slice(line)?);
                Ok(fitting.and_then(|line| serde_json::from_value(line).ok()).unwrap_or_default())
            }
            read => read,
        }
    }

    /// `User.UserId`.
    pub(crate) fn user_id(&self) -> Option<&str> {
        self.user.as_ref()?.user_id.as_deref()
    }
}

/// What of a value can be read where it stands, if anything.
fn fitting(path: &mut Vec<String>, value: Value) -> Option<Value> {
    if fits(path, &value) {
        return Some(value);
    }
    let Value::Object(members) = value else { return None };
    let mut kept = serde_json::Map::new();
    for (name, member) in members {
        path.push(name.clone());
        let member = fitting(path, member);
        path.pop();
        kept.extend(member.map(|member| (name, member)));
    }
    // An object where a list is due does not fit for having nothing left in it.
    let kept = Value::Object(kept);
    fits(path, &kept).then_some(kept)
}

/// Whether a value can be read where it stands.
fn fits(path: &[String], value: &Value) -> bool {
    let wrap = |inner: Value, name: &String| Value::Object([(name.clone(), inner)].into_iter().collect());
    let line = path.iter().rev().fold(value.clone(), wrap);
    serde_json::from_value::<EndpointResponse>(line).is_ok()
}

/// A text; a number or a truth value stands for its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Truth(bool),
    Number(serde_json::Number),
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> String {
        match scalar {
            Scalar::Text(text) => text,
            Scalar::Truth(truth) => truth.to_string(),
            Scalar::Number(number) => number.to_string(),
        }
    }
}

/// Takes a scalar as text without going through an untagged enum, which would copy each value first.
struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(text))
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(Some(truth.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number.to_string()))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

/// A number, or a text that is one.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| number.0))
}

/// A number that may come as text.
struct Number(f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;
        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number")
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                number.map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(NumberVisitor)
    }
}

/// Named numbers; a `null` is no number of that name.
fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<BTreeMap<String, f64>>, D::Error> {
    let numbers = Option::<BTreeMap<String, Option<Number>>>::deserialize(deserializer)?;
    let present = |(name, number): (String, Option<Number>)| Some((name, number?.0));
    Ok(numbers.map(|numbers| numbers.into_iter().filter_map(present).collect()))
}

/// Named lists; a single value is a list of one, a `null` an empty one, and a `null` in a list is left out.
fn text_lists<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TextLists>, D::Error> {
    struct ListsVisitor;
    impl<'de> Visitor<'de> for ListsVisitor {
        type Value = Option<TextLists>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("named lists of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut lists = TextLists::new();
            while let Some(name) = map.next_key::<String>()? {
                lists.insert(name, map.next_value::<TextList>()?.0);
            }
            Ok(Some(lists))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }
    deserializer.deserialize_any(ListsVisitor)
}

/// A list of texts, leniently read.
struct TextList(Vec<String>);

impl<'de> Deserialize<'de> for TextList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor;
        impl<'de> Visitor<'de> for ListVisitor {
            type Value = TextList;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TextList, A::Error> {
                let mut list = Vec::with_capacity(seq.size_hint().unwrap_or(1));
                while let Some(value) = seq.next_element::<Option<Scalar>>()? {
                    list.extend(value.map(String::from));
                }
                Ok(TextList(list))
            }

            fn visit_unit<E: de::Error>(self) -> Result<TextList, E> {
                Ok(TextList(Vec::new()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextList, E> {
                Ok(TextList(vec![text.to_owned()]))
            }

            fn visit_bool<E: de::Error>(self, truth: bool) -> Result<TextList, E> {
                Ok(TextList(vec![truth.to_string()]))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<TextList, E> {
                Ok(TextList(vec![number.to_string()]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<TextList, E> {
                Ok(TextList(vec![number.to_string()]))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<TextList, E> {
                Ok(TextList(vec![number.to_string()]))
            }
        }
        deserializer.deserialize_any(ListVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_line_comes_back_as_it_was() -> Result<(), serde_json::Error> {
        let line = r#"{"ChannelType":"EMAIL","Address":"a.b@example.com","EndpointStatus":"ACTIVE","OptOut":"NONE","Location":{"Country":"CHN"},"Demographic":{"Make":"OnePlus","Platform":"android"},"EffectiveDate":"2025-02-12T11:20:13.627Z","Attributes":{"FavoriteTeam":["Angels"]},"User":{"UserId":"u-3"},"ApplicationId":"9b74000000000000000000000000015f","Id":"goy4ne0a7jvyqfcwpj37bf2ajp4","CreationDate":"2025-02-12T11:20:13.627Z"}"#;
        let endpoint: EndpointResponse = serde_json::from_str(line)?;
        assert_eq!(serde_json::to_string(&endpoint)?, line);
        Ok(())
    }

    #[test]
    fn odd_values_are_read_leniently() -> Result<(), serde_json::Error> {
        let endpoint: EndpointResponse = serde_json::from_str(
            r#"{"Address":12345,"OptOut":null,"Zip":1,"Location":{"Latitude":"47.6","Longitude":null},
                "Attributes":{"a":"x","b":[1,null,true,"y"],"c":null,"d":39},"Metrics":{"m":"6","n":null},
                "User":{"UserId":7,"UserAttributes":null}}"#,
        )?;
        let expected = r#"{"Address":"12345","Location":{"Latitude":47.6},"Attributes":{"a":["x"],"b":["1","true","y"],"c":[],"d":["39"]},"Metrics":{"m":6.0},"User":{"UserId":"7"}}"#;
        assert_eq!(serde_json::to_string(&endpoint)?, expected);
        for wrong in [r#"{"Metrics":{"m":"many"}}"#, r#"{"Attributes":[]}"#, r#"{"Address":{}}"#] {
            assert!(serde_json::from_str::<EndpointResponse>(wrong).is_err(), "{wrong}");
        }
        Ok(())
    }

    #[test]
    fn a_member_that_does_not_fit_costs_no_other() -> Result<(), serde_json::Error> {
        let line = br#"{"Id":"e","Address":{"a":1},"Location":{"City":"Oslo","Latitude":"north"},"Id":"f",
            "Attributes":{"a":["x"],"b":{"c":1}},"Metrics":[1],"User":{"UserId":"u","UserAttributes":7}}"#;
        let expected =
            r#"{"Location":{"City":"Oslo"},"Attributes":{"a":["x"]},"User":{"UserId":"u"},"Id":"f"}"#;
        assert_eq!(serde_json::to_string(&EndpointResponse::from_line(line)?)?, expected);
        assert!(EndpointResponse::from_line(br#"{"Id":"#).is_err());
        Ok(())
    }
}
