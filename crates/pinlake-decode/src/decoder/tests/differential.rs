//! The decoder against `serde_json`, and the fast path against the slow one, on generated lines.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Members of an endpoint as people might write them: mostly right, some odd.
fn member() -> impl Strategy<Value = (String, String)> {
    let names = prop_oneof![
        4 => prop::sample::select(vec![
            "Id", "Address", "ChannelType", "OptOut", "EndpointStatus", "CreationDate", "EffectiveDate", "RequestId",
            "CohortId", "ApplicationId", "Location", "Demographic", "User", "Attributes", "Metrics",
        ]).prop_map(str::to_owned),
        1 => "[A-Za-zé\"\\\\]{0,6}",
    ];
    (names, json(3))
}

fn json(depth: u32) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        2 => prop::sample::select(vec![
            "\"2025-02-12T11:20:13.627Z\"", "\"6\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"ACTIVE\"", "1e400",
            "-0.0", "null", "true", "false",
        ]).prop_map(str::to_owned),
        2 => "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?",
    ];
    leaf.prop_recursive(depth, 24, 5, |inner| {
        let key = prop_oneof![
            prop::sample::select(vec![
                "City",
                "Country",
                "Latitude",
                "UserId",
                "UserAttributes",
                "Platform",
                "a",
                "b",
                "\\u0061",
            ])
            .prop_map(str::to_owned),
            "[a-z]{1,3}",
        ];
        prop_oneof![
            2 => prop::collection::vec((key, inner.clone()), 0..5).prop_map(|members| {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("\"{key}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec(member(), 0..9).prop_map(|members| {
        let members: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap()))
            .collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A piece: lines, some of them damaged, which may be one line more or less.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let damaged = (line(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(line, at, byte)| {
        let mut bytes = line.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes
    });
    let any_line = prop_oneof![3 => line().prop_map(String::into_bytes), 1 => damaged];
    prop::collection::vec(any_line, 1..6).prop_map(|lines| lines.join(&b'\n'))
}

/// Selections of one column, of few, of nearly all, and of any.
fn selection() -> impl Strategy<Value = ColumnSelection> {
    let bits = prop_oneof![
        (0u32..31).prop_map(|column| 1 << column),
        (any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(a, b, c)| a & b & c),
        (0u32..31).prop_map(|column| !(1 << column)),
        any::<u32>(),
        Just(0),
    ];
    bits.prop_map(|bits| ColumnSelection::of((0..31).filter(|column| bits >> column & 1 == 1)))
}

/// Whether `serde_json` takes the line for an object, without judging what escapes and numbers mean.
fn is_object(line: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok() && line.trim_ascii_start().starts_with(b"{")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn fast_and_slow_agree_on_any_object(lines in prop::collection::vec(line(), 1..4)) {
        let decoded = decode(lines.join("\n"));
        prop_assert_eq!(decoded.rows(), lines.len() as u64);
        prop_assert!(decoded.rejects.is_empty());
    }

    #[test]
    fn a_damaged_line_is_judged_as_serde_json_judges_it(
        line in line(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = line.into_bytes();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        prop_assume!(!bytes.contains(&b'\n'));
        let decoded = decode(&bytes);
        let blank = bytes.iter().all(u8::is_ascii_whitespace);
        let expected = !blank && std::str::from_utf8(&bytes).is_ok() && is_object(&bytes);
        prop_assert_eq!(decoded.rows() == 1, expected, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_selection_is_that_part_of_all_columns_and_judges_lines_alike(piece in piece(), columns in selection()) {
        let all = decode(&piece);
        let keep = |row: &Vec<Option<String>>| -> Vec<Option<String>> {
            row.iter().enumerate().filter(|(at, _)| columns.contains(*at)).map(|(_, value)| value.clone()).collect()
        };
        let expected: Vec<_> = rendered(&all).iter().map(keep).collect();
        for slow_path_only in [false, true] {
            let options = DecodeOptions { slow_path_only, columns, ..DecodeOptions::default() };
            let part = decode_with(options, &piece);
            prop_assert_eq!(rendered(&part), expected.clone(), "slow path only: {}", slow_path_only);
            prop_assert_eq!((part.rows(), part.lines, part.blank), (all.rows(), all.lines, all.blank));
            prop_assert_eq!(&part.rejects, &all.rejects);
            prop_assert!(part.batch.is_none_or(|batch| batch.schema() == columns.schema()));
            prop_assert_eq!(part.drift, if columns.reads_all() { all.drift.clone() } else { Drift::default() });
        }
    }

    #[test]
    fn nothing_of_a_line_is_lost(line in line()) {
        // What serde_json cannot hold (lone surrogates, numbers beyond a double) is held against it elsewhere.
        let Ok(Value::Object(original)) = serde_json::from_str::<Value>(&line) else { return Ok(()) };
        let decoded = decode(&line);
        let values = &rendered(&decoded)[0];
        let extra: Value = values[endpoint_position("extra")]
            .as_deref()
            .map_or(Value::Null, |extra| serde_json::from_str(extra).unwrap());
        for (name, value) in &original {
            match crate::schema::target(crate::schema::Parent::Endpoint, name.as_bytes()) {
                None => prop_assert_eq!(extra.get(name), Some(value)),
                Some(crate::schema::Target::Column(position)) => {
                    let kept = values[position].is_some() || extra.get(name).is_some();
                    prop_assert_eq!(kept, !value.is_null(), "{}", name);
                    if let (Value::String(text), true) = (value, !name.ends_with("Date"))
                        && !matches!(name.as_str(), "Attributes" | "Metrics") {
                            prop_assert_eq!(values[position].as_deref(), Some(text.as_str()));
                        }
                }
                Some(crate::schema::Target::Object(_)) => {
                    if !value.is_object() && !value.is_null() {
                        prop_assert_eq!(extra.get(name), Some(value));
                    }
                }
            }
        }
    }
}
