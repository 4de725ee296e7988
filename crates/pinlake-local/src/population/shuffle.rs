//! Members in an order of their own: a line of an export put together anew.
//!
//! A reader must not depend on the order of members, and a reader that expects the usual one must not be slow without it.

use super::draw::Draw;

/// Appends the object `json`, which is compact JSON, to `line` with its members at every depth in a drawn order.
/// Lists stay as they are.
pub(super) fn push_shuffled(json: &[u8], draw: &mut Draw, line: &mut Vec<u8>) {
    let mut members = members(json);
    for last in (1..members.len()).rev() {
        let other = usize::try_from(draw.below(last as u64 + 1)).unwrap_or(last);
        members.swap(last, other);
    }
    line.push(b'{');
    for (place, member) in members.into_iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        let (name, value) = member.split_at(value_start(member));
        line.extend_from_slice(name);
        if value.first() == Some(&b'{') {
            push_shuffled(value, draw, line);
        } else {
            line.extend_from_slice(value);
        }
    }
    line.push(b'}');
}

/// The members of an object, each as `"name":value`.
fn members(json: &[u8]) -> Vec<&[u8]> {
    let mut members = Vec::with_capacity(16);
    let (mut depth, mut start, mut at) = (0_u32, 1, 0);
    while let Some(&byte) = json.get(at) {
        match byte {
            b'"' => at = text_end(json, at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        let is_end = depth == 0 || (depth == 1 && byte == b',');
        if is_end && at > start {
            members.push(&json[start..at]);
            start = at + 1;
        }
        at += 1;
    }
    members
}

/// Where the value of a member begins.
fn value_start(member: &[u8]) -> usize {
    (text_end(member, 0) + 2).min(member.len())
}

/// Where the text that begins at `quote` ends: at its other quote.
fn text_end(json: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < json.len() && json[at] != b'"' {
        at += if json[at] == b'\\' { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::super::draw::Stream;
    use super::*;

    #[test]
    fn every_member_stands_somewhere_and_lists_stay() {
        let json = br#"{"a":"x,\"{","b":{"c":[1,{"d":2}],"e":{}},"f":-1.5e3,"g":[]}"#;
        let mut orders = std::collections::BTreeSet::new();
        for number in 0..50 {
            let mut line = Vec::new();
            push_shuffled(json, &mut Draw::new(1, Stream::Order, number), &mut line);
            let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
            assert_eq!(read(&line), read(json));
            assert_eq!(line.len(), json.len());
            orders.insert(line);
        }
        assert!(orders.len() > 20, "{} orders", orders.len());
        let mut line = Vec::new();
        push_shuffled(b"{}", &mut Draw::new(1, Stream::Order, 0), &mut line);
        assert_eq!(line, b"{}");
    }
}
