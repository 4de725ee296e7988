//! An object of a line already checked, member by member, as text: what the slow path reads.

use std::borrow::Cow;

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
    pub(crate) fn members(&self) -> Vec<Member<'a>> {
        last_of_each(self.all_members())
    }

    /// The members of an object in their order, repeated ones too.
    pub(crate) fn all_members(&self) -> Vec<Member<'a>> {
        let mut members: Vec<Member<'a>> = Vec::new();
        let mut at = skip_space(self.raw, 1);
        while self.raw[at] != b'}' {
            let (name, end) = Self::at(self.raw, at);
            let (value, end) = Self::at(self.raw, skip_space(self.raw, skip_space(self.raw, end) + 1));
            members.push(Member { raw_name: name.raw, name: name.text(), value });
            at = next(self.raw, end);
        }
        members
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

impl Member<'_> {
    /// What tells this member from another: its name, or its raw text where the name has no meaning.
    fn identity(&self) -> (bool, &[u8]) {
        self.name.as_ref().map_or((false, self.raw_name), |name| (true, name))
    }
}

/// Drops each member that a later one of the same name replaces.
fn last_of_each(members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let mut seen = std::collections::HashSet::with_capacity(members.len());
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
        let members = value.members();
        assert_eq!(members[0].value.raw, b"[1, 2 ]");
        assert_eq!(members[0].value.items().len(), 2);
        assert_eq!(members[1].raw_name, br#""b\n""#);
        assert_eq!(members[1].name.as_deref(), Some(b"b\n".as_slice()));
    }

    #[test]
    fn the_last_of_a_repeated_member_wins_also_under_an_escaped_name() {
        let value = root(r#"{"a":1,"b":2,"\u0061":3}"#);
        let members = value.members();
        assert_eq!(members.len(), 2);
        assert_eq!(members[1].value.raw, b"3");
    }

    #[test]
    fn empty_containers() {
        assert!(root("{ }").members().is_empty());
        assert!(Value { raw: b"[ ]", kind: ValueKind::Array }.items().is_empty());
    }
}
