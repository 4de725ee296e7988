//! Pieces to read: endpoints as an export has them, odd ones, and lines that are damaged.

mod damage;
mod values;

use proptest::prelude::*;
use proptest::sample::select;

use values::{Node, odd, render, usual};

/// The members of an endpoint in the order of a real export.
const REAL_ORDER: [&str; 15] = [
    "ChannelType",
    "Address",
    "EndpointStatus",
    "OptOut",
    "Location",
    "Demographic",
    "EffectiveDate",
    "Attributes",
    "Metrics",
    "User",
    "ApplicationId",
    "Id",
    "CreationDate",
    "CohortId",
    "RequestId",
];

/// The bytes of a piece of several lines.
pub(crate) fn piece() -> impl Strategy<Value = Vec<u8>> {
    let ending = prop_oneof![8 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just("\n \t\r\n")];
    let start = prop_oneof![12 => Just(""), 1 => Just("\u{feff}"), 1 => Just("\n"), 1 => Just("\u{feff}\n")];
    (start, prop::collection::vec((line(), 1usize..4, ending), 1..7), any::<bool>()).prop_map(
        |(start, lines, ends)| {
            let mut piece = start.as_bytes().to_vec();
            let mut last = 0;
            for (line, times, ending) in lines {
                // The same line again: what a decoder learns from one line is tried on the next.
                for _ in 0..times {
                    piece.extend_from_slice(&line);
                    last = piece.len();
                    piece.extend_from_slice(ending.as_bytes());
                }
            }
            if !ends {
                piece.truncate(last);
            }
            piece
        },
    )
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => endpoint().prop_map(String::into_bytes),
        3 => (endpoint().prop_map(String::into_bytes), damage::list()).prop_map(|(line, list)| damage::apply(line, &list)),
        2 => deep().prop_map(String::into_bytes),
        1 => select(vec![
            "{}", "[1]", "null", "true", "12", "\"x\"", "{", "}", "{}{}", "{} x", "\0", "\u{feff}{}", "\u{c}", "{\"a\":NaN}",
            "{\"Id\":\"\u{1}\"}", "{\"Id\":\"a\",}", "{\"Id\" \"a\"}", "{,}", "{\"Location\":{\"Latitude\":01}}", "{\"Id\":'a'}",
            "{\"Metrics\":{\"a\":-}}", "{\"OptOut\":tru}", "{\"Id\":\"\\x\"}", "{\"Id\":\"\\u12\"}", "// {}",
        ]).prop_map(|line| line.as_bytes().to_vec()),
    ]
}

/// An endpoint: usual, sparse or rich, its members in the real or in any order, some of them odd, unknown or repeated.
fn endpoint() -> impl Strategy<Value = String> {
    let members = prop_oneof![
        3 => Just(0x1fff_u16),
        2 => any::<u16>(),
        1 => (0u32..15).prop_map(|bit| 1 << bit),
    ];
    let order = prop_oneof![3 => Just(REAL_ORDER.to_vec()), 1 => Just(REAL_ORDER.to_vec()).prop_shuffle()];
    let changes = prop_oneof![3 => Just(0usize..1), 1 => Just(1usize..4)].prop_flat_map(|count| {
        prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), odd_member()), count)
    });
    let spaces = prop_oneof![3 => Just(Vec::new()), 1 => spaces()];
    let values = REAL_ORDER.map(usual).to_vec();
    (members, order, values, changes, spaces).prop_map(|(members, order, values, changes, spaces)| {
        let mut endpoint: Vec<(String, Node)> = order
            .into_iter()
            .filter_map(|name| {
                let at = REAL_ORDER.iter().position(|&real| real == name)?;
                (members >> at & 1 == 1).then(|| (format!("\"{name}\""), values[at].clone()))
            })
            .collect();
        for (at, replaces, (name, value)) in changes {
            let at = at.index(endpoint.len() + 1);
            if replaces && at < endpoint.len() {
                endpoint[at].1 = value;
            } else {
                endpoint.insert(at, (name, value));
            }
        }
        render(&Node::Object(endpoint), &spaces)
    })
}

fn odd_member() -> impl Strategy<Value = (String, Node)> {
    let name = prop_oneof![
        4 => select(REAL_ORDER.to_vec()).prop_map(|name| format!("\"{name}\"")),
        1 => values::name(),
    ];
    (name, odd())
}

/// What stands between the tokens of a line, in turn.
fn spaces() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(select(vec!["", "", " ", "\t", "\r", "  ", " \t\r  "]), 1..9)
}

/// Nesting about the limit of 128, as an unknown member, an odd one or an attribute.
fn deep() -> impl Strategy<Value = String> {
    let form =
        select(vec![("{\"x\":", "}"), ("{\"Address\":", "}"), ("{\"Attributes\":{\"a\":", "}}"), ("[", "]")]);
    (form, prop_oneof![1usize..5, 124usize..131], select(vec![("[", "]"), ("{\"a\":", "}")])).prop_map(
        |((start, end), depth, (open, close))| {
            format!("{start}{}0{}{end}", open.repeat(depth), close.repeat(depth))
        },
    )
}
