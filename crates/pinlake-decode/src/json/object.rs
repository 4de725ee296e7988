//! An object of a line already checked, member by member, as text: what the slow path reads.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::syntax::{ValueKind, checked_value_end, skip_space};
use super::text::unescape;

/// A value as it stands in the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    /// Its text, quotes and brackets included, no white space around.
    pub(crate) raw: &'a [u8],
    pub(crate) kind: ValueKind,
}

impl<'a> Value<'a> {
    fn at(line: &'a [u8], at: usize) -> (Self, usize) {
        let end = checked_value_end(line, at);
        (Self { raw: &line[at..end], kind: ValueKind::of(line[at]) }, end)
    }

    /// The text of a string; `None` where an escape in it is half of a surrogate pair.
    pub(crate) fn text(&self) -> Option<Cow<'a, [u8]>> {
        unquoted(&self.raw[1..self.raw.len() - 1])
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Vec<Self> {
        let mut items = Vec::new();
        let mut at = skip_space(self.raw, 1);
        while self.raw[at] != b']' {
            let (item, end) = Self::at(self.raw, at);
            items.push(item);
            at = next(self.raw, end);
        }
        items
    }

    /// The members of an object in their order; of a repeated one only the last.
    pub(crate) fn members(&self) -> Members<'a> {
        let mut few = Vec::new();
        for member in Walk::new(self.raw) {
            if few.len() == FEW_MEMBERS {
                return Members::many(self.raw);
            }
            few.push(member);
        }
        Members::Few(last_of_each(few).into_iter())
    }

    /// The members of an object in their order, repeated ones too.
    pub(crate) fn all_members(&self) -> Walk<'a> {
        Walk::new(self.raw)
    }
}

/// So many members are collected; more are walked again.
const FEW_MEMBERS: usize = 1_000;

/// The members of an object, each name once.
#[derive(Debug)]
pub(crate) enum Members<'a> {
    /// At hand.
    Few(std::vec::IntoIter<Member<'a>>),
    /// Read as they are asked for, since a line can hold a million: each with its number, and the number of the last one of each name that may
    /// be repeated.
    Many(std::iter::Enumerate<Walk<'a>>, HashMap<Identity<'a>, usize>),
}

impl<'a> Members<'a> {
    fn many(object: &'a [u8]) -> Self {
        let hashes = || Walk::new(object).map(|member| hash_of(&member.identity()));
        let mut sorted: Vec<u64> = hashes().collect();
        sorted.sort_unstable();
        let repeated: HashSet<u64> =
            sorted.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        drop(sorted);
        let mut last = HashMap::new();
        if !repeated.is_empty() {
            for (number, member) in Walk::new(object).enumerate() {
                let identity = member.identity();
                if repeated.contains(&hash_of(&identity)) {
                    last.insert(identity, number);
                }
            }
        }
        Self::Many(Walk::new(object).enumerate(), last)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        match self {
            Self::Few(members) => members.next(),
            Self::Many(members, last) if last.is_empty() => members.next().map(|(_, member)| member),
            Self::Many(members, last) => members
                .find(|(number, member)| last.get(&member.identity()).is_none_or(|last| last == number))
                .map(|(_, member)| member),
        }
    }
}

fn hash_of(identity: &Identity<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    identity.hash(&mut hasher);
    hasher.finish()
}

/// Walks an object member by member, repeated ones included.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    object: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(object: &'a [u8]) -> Self {
        Self { object, at: skip_space(object, 1) }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        let object = self.object;
        if object[self.at] == b'}' {
            return None;
        }
        let (name, end) = Value::at(object, self.at);
        let (value, end) = Value::at(object, skip_space(object, skip_space(object, end) + 1));
        self.at = next(object, end);
        Some(Member { raw_name: name.raw, name: name.text(), value })
    }
}

/// The position of what follows a comma after `at`, or of the bracket or brace that closes.
fn next(raw: &[u8], at: usize) -> usize {
    let at = skip_space(raw, at);
    if raw[at] == b',' { skip_space(raw, at + 1) } else { at }
}

fn unquoted(body: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !body.contains(&b'\\') {
        return Some(Cow::Borrowed(body));
    }
    let mut text = Vec::with_capacity(body.len());
    unescape(body, &mut text).ok()?;
    Some(Cow::Owned(text))
}

/// One member of an object.
#[derive(Clone, Debug)]
pub(crate) struct Member<'a> {
    /// The name as it stands in the line, quotes included.
    pub(crate) raw_name: &'a [u8],
    /// The name; `None` where an escape in it is half of a surrogate pair.
    pub(crate) name: Option<Cow<'a, [u8]>>,
    pub(crate) value: Value<'a>,
}

/// What tells a member from another: its name, or its raw text where the name has no meaning.
type Identity<'a> = (bool, Cow<'a, [u8]>);

impl<'a> Member<'a> {
    fn identity(&self) -> Identity<'a> {
        self.name.as_ref().map_or((false, Cow::Borrowed(self.raw_name)), |name| (true, name.clone()))
    }
}

/// Drops each member that a later one of the same name replaces.
fn last_of_each(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let mut seen = HashSet::with_capacity(members.len());
    let mut is_last: Vec<bool> = members.iter().rev().map(|member| seen.insert(member.identity())).collect();
    is_last.reverse();
    if is_last.iter().all(|&last| last) {
        return members;
    }
    members.iter().zip(is_last).filter(|(_, last)| *last).map(|(member, _)| member.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(line: &str) -> Value<'_> {
        Value { raw: line.as_bytes(), kind: ValueKind::Object }
    }

    #[test]
    fn members_keep_order_and_raw_text() {
        let value = root(r#"{ "a" : [1, 2 ] , "b\n":"x" }"#);
        let members: Vec<Member<'_>> = value.members().collect();
        assert_eq!(members[0].value.raw, b"[1, 2 ]");
        assert_eq!(members[0].value.items().len(), 2);
        assert_eq!(members[1].raw_name, br#""b\n""#);
        assert_eq!(members[1].name.as_deref(), Some(b"b\n".as_slice()));
    }

    #[test]
    fn the_last_of_a_repeated_member_wins_also_under_an_escaped_name() {
        let value = root(r#"{"a":1,"b":2,"\u0061":3}"#);
        let members: Vec<Member<'_>> = value.members().collect();
        assert_eq!(members.len(), 2);
        assert_eq!(members[1].value.raw, b"3");
    }

    #[test]
    fn many_members_read_as_few_do() {
        // Some names repeated, some more than once, some under an escape.
        let name = |number: usize| match number % 500 {
            7 => "\\u0061".to_owned(),
            8 => "a".to_owned(),
            9 => format!("b{}", number / 1_000),
            _ => format!("k{number}"),
        };
        let texts: Vec<String> = (0..5_000).map(|number| format!("\"{}\":{number}", name(number))).collect();
        let line = format!("{{{}}}", texts.join(","));
        let value = root(&line);
        let streamed: Vec<&[u8]> = value.members().map(|member| member.value.raw).collect();
        let collected = last_of_each(Walk::new(value.raw).collect());
        assert_eq!(streamed, collected.iter().map(|member| member.value.raw).collect::<Vec<_>>());
        assert!(streamed.len() < 5_000);
        assert_eq!(value.members().filter(|member| member.name.as_deref() == Some(b"a")).count(), 1);
    }

    #[test]
    fn empty_containers() {
        assert!(root("{ }").members().next().is_none());
        assert!(Value { raw: b"[ ]", kind: ValueKind::Array }.items().is_empty());
    }
}
