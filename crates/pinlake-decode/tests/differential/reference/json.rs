//! JSON as `serde_json` reads it, one level at a time, with the text of every name and value as it stands in the line.
//!
//! Values are taken as `RawValue`s: unlike a `Value` they keep numbers beyond a double, lone surrogates and the order of
//! members.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// The kind of a valid value, given without white space around it.
    pub(crate) fn of(value: &str) -> Self {
        match value.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'"') => Self::String,
            Some(b'[') => Self::Array,
            Some(b'{') => Self::Object,
            _ => Self::Number,
        }
    }
}

/// One member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// The name as it stands in the line, quotes included.
    pub(crate) raw_name: &'a str,
    /// The name; `None` where it holds half of a surrogate pair.
    pub(crate) name: Option<String>,
    pub(crate) value: &'a str,
}

/// The one value that `line` is, without the white space around; `None` where it is no JSON.
pub(crate) fn whole_value(line: &str) -> Option<&str> {
    serde_json::from_str::<&RawValue>(line).ok().map(RawValue::get)
}

/// How deep the arrays and objects of a valid value are nested: 0 for a scalar, 1 for `{}`.
pub(crate) fn depth(value: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in value.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

struct MemberPairs;

impl<'de> Visitor<'de> for MemberPairs {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }
}

/// The members of a valid object. Of a repeated name only the last is there, and in its place: the contract is silent on
/// the place, and this is the slow path's. Names without a meaning are the same if their text is, as there.
pub(crate) fn members(object: &str) -> Vec<Member<'_>> {
    let pairs = serde_json::Deserializer::from_str(object)
        .deserialize_map(MemberPairs)
        .expect("the line was read before");
    let mut seen = HashSet::new();
    let mut members: Vec<Member<'_>> = pairs
        .iter()
        .rev()
        .map(|(name, value)| Member { raw_name: name.get(), name: text(name.get()), value: value.get() })
        .filter(|member| {
            seen.insert(match &member.name {
                Some(name) => (true, name.clone()),
                None => (false, member.raw_name.to_owned()),
            })
        })
        .collect();
    members.reverse();
    members
}

/// The items of a valid array.
pub(crate) fn items(array: &str) -> Vec<&str> {
    let items: Vec<&RawValue> = serde_json::from_str(array).expect("the line was read before");
    items.into_iter().map(RawValue::get).collect()
}

/// The text of a valid string; `None` where it holds half of a surrogate pair.
pub(crate) fn text(string: &str) -> Option<String> {
    serde_json::from_str(string).ok()
}

/// The double nearest to a valid number; `None` where that is none. The standard library rounds correctly, which
/// `serde_json` does not unless asked to.
pub(crate) fn double(number: &str) -> Option<f64> {
    number.parse().ok().filter(|double: &f64| double.is_finite())
}

/// Whether the text is a JSON number, wholly.
pub(crate) fn is_number(text: &str) -> bool {
    whole_value(text) == Some(text) && Kind::of(text) == Kind::Number
}
