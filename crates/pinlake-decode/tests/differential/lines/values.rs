//! Values of members: as an export has them, and any others.

use proptest::prelude::*;
use proptest::sample::select;

/// A JSON value before it is written out.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// As it will stand in the line.
    Raw(String),
    /// Names with their quotes.
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// Writes a value with `spaces` between its tokens, in turn.
pub(crate) fn render(node: &Node, spaces: &[&str]) -> String {
    let mut line = String::new();
    let mut turn = 0;
    write(node, &mut line, &mut |line, token| {
        let mut space = |line: &mut String| {
            if let Some(space) = spaces.get(turn % spaces.len().max(1)) {
                line.push_str(space);
            }
            turn += 1;
        };
        space(line);
        line.push_str(token);
        space(line);
    });
    line
}

fn write(node: &Node, line: &mut String, token: &mut dyn FnMut(&mut String, &str)) {
    match node {
        Node::Raw(raw) => token(line, raw),
        Node::Object(members) => {
            token(line, "{");
            for (at, (name, value)) in members.iter().enumerate() {
                if at > 0 {
                    token(line, ",");
                }
                token(line, name);
                token(line, ":");
                write(value, line, token);
            }
            token(line, "}");
        }
        Node::Array(items) => {
            token(line, "[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    token(line, ",");
                }
                write(item, line, token);
            }
            token(line, "]");
        }
    }
}

/// What an export has in this member.
pub(crate) fn usual(member: &'static str) -> BoxedStrategy<Node> {
    match member {
        "Location" => some_of(&["City", "Region", "Country", "PostalCode"], &["Latitude", "Longitude"]),
        "Demographic" => some_of(
            &[
                "AppVersion",
                "Locale",
                "Make",
                "Model",
                "ModelVersion",
                "Platform",
                "PlatformVersion",
                "Timezone",
            ],
            &[],
        ),
        "User" => (string(), lists())
            .prop_map(|(id, lists)| {
                Node::Object(vec![named("UserId", Node::Raw(id)), named("UserAttributes", lists)])
            })
            .boxed(),
        "Attributes" => lists().boxed(),
        "Metrics" => {
            prop::collection::vec((name(), number().prop_map(Node::Raw)), 0..4).prop_map(Node::Object).boxed()
        }
        "CreationDate" | "EffectiveDate" => date().prop_map(Node::Raw).boxed(),
        "ChannelType" | "EndpointStatus" | "OptOut" | "ApplicationId" | "CohortId" => select(vec![
            "\"EMAIL\"",
            "\"SMS\"",
            "\"ACTIVE\"",
            "\"NONE\"",
            "\"9b74c9897bac770ffc029102a200c5de\"",
        ])
        .prop_map(|text| Node::Raw(text.to_owned()))
        .boxed(),
        _ => string().prop_map(Node::Raw).boxed(),
    }
}

fn named(name: &str, value: Node) -> (String, Node) {
    (format!("\"{name}\""), value)
}

fn some_of(texts: &'static [&'static str], numbers: &'static [&'static str]) -> BoxedStrategy<Node> {
    let members: Vec<_> = texts
        .iter()
        .map(|&name| (Just(name), string().boxed()))
        .chain(numbers.iter().map(|&name| (Just(name), number().boxed())))
        .collect();
    (members, any::<u8>())
        .prop_map(|(members, kept)| {
            let kept = members.into_iter().enumerate().filter(|(at, _)| kept >> at & 1 == 1);
            Node::Object(kept.map(|(_, (name, value))| named(name, Node::Raw(value))).collect())
        })
        .boxed()
}

fn lists() -> impl Strategy<Value = Node> {
    let items = prop::collection::vec(string().prop_map(Node::Raw), 0..4).prop_map(Node::Array);
    prop::collection::vec((name(), items), 0..5).prop_map(Node::Object)
}

/// The name of a member or an attribute, quotes included; few, so that some are repeated.
pub(crate) fn name() -> impl Strategy<Value = String> {
    let plain = vec![
        "plan",
        "interests",
        "Age",
        "City",
        "UserId",
        "Latitude",
        "Platform",
        "UserAttributes",
        "id",
        "é",
    ];
    let odd = vec![
        "\"a\"",
        "\"\\u0061\"",
        "\"I\\u0064\"",
        "\"\"",
        "\"\\ud800\"",
        "\"\\uD800\"",
        "\"\\ud83d\\ude00\"",
    ];
    // Mostly plain, or no line would be left to the fast path.
    prop_oneof![
        60 => select(plain).prop_map(|name| format!("\"{name}\"")),
        20 => "\"[A-Za-z]{1,40}\"",
        2 => select(odd).prop_map(str::to_owned),
        2 => string(),
    ]
}

/// A string, quotes included.
fn string() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "\\\"",
        "\\\\",
        "\\/",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\u0000",
        "\\u00e9",
        "\\uD83D\\uDE00",
        "\\u2028",
        "é",
        "語",
        "😀",
        "\u{7f}",
        "{",
        "}",
        ":",
        ",",
        "x",
        "plain text",
    ]);
    let lone = select(vec!["\\ud800", "\\udc00", "\\udbff\\u0041", "\\ud800\\ud800", "\\uDFFF"]);
    let body = prop_oneof![
        40 => "[ -!#-\\[\\]-~]{0,70}",
        30 => select(vec!["u-37", "gold", "US", "true", "6", "-1.5e3", "1e400", " 6", "01", "2025-02-12T11:20:13.627Z", ""])
            .prop_map(str::to_owned),
        6 => prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()),
        3 => any::<String>().prop_map(|text| {
            let quoted = serde_json::to_string(&text).unwrap();
            quoted[1..quoted.len() - 1].to_owned()
        }),
        1 => ("[a-z]{0,40}", lone, "[a-z]{0,40}").prop_map(|(before, lone, after)| format!("{before}{lone}{after}")),
        1 => (select(vec!["x", "é", "\\n", "\\\\", "ab "]), 60usize..140).prop_map(|(text, times)| text.repeat(times)),
    ];
    let rare =
        (select(vec!["y", "語", "\\\""]), 4090usize..4110).prop_map(|(text, times)| text.repeat(times));
    prop_oneof![200 => body, 1 => rare].prop_map(|body| format!("\"{body}\""))
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        40 => "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,4})?",
        4 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?",
        4 => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        1 => select(vec!["-0", "-0.0", "1e400", "-1e309", "1e-400", "5e-324", "9007199254740993", "1.7976931348623157e308"])
            .prop_map(str::to_owned),
    ]
}

fn date() -> impl Strategy<Value = String> {
    prop_oneof![
        60 => "\"20[0-3][0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z\"",
        2 => "\"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,7}0{0,4})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])\"",
        1 => select(vec!["\"2025-02-12\"", "\"2025-02-12 11:20:13Z\"", "1739359213", "\"0000-01-01T00:00:00+23:59\"", "\"2025\\u002d02-12T11:20:13.627Z\""])
            .prop_map(str::to_owned),
    ]
}

/// Any value.
pub(crate) fn odd() -> impl Strategy<Value = Node> {
    let leaf = prop_oneof![
        3 => string(),
        2 => number(),
        1 => date(),
        2 => select(vec!["null", "true", "false"]).prop_map(str::to_owned),
    ];
    leaf.prop_map(Node::Raw).prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            2 => prop::collection::vec((name(), inner.clone()), 0..5).prop_map(Node::Object),
            1 => prop::collection::vec(inner, 0..4).prop_map(Node::Array),
        ]
    })
}
