//! Addresses: shared, wrong, and what they tell of their owners.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{awkward, lake, lake_of};

fn endpoint(id: &str, channel: &str, address: &str) -> Value {
    json!({ "id": id, "channel_type": channel, "address": address })
}

#[tokio::test]
async fn duplicate_addresses() {
    assert_eq!(
        lake().csv("duplicate-addresses", &[]).await,
        "channel_type,address,endpoints,active_endpoints,users\nEMAIL,a@example.com,2,1,2\n"
    );
    // The two endpoints of the push token have one id, and an endpoint is not its own duplicate.
    assert_eq!(
        awkward().csv("duplicate-addresses", &[]).await,
        "channel_type,address,endpoints,active_endpoints,users\nEMAIL,old@example.com,2,2,1\n"
    );
}

#[tokio::test]
async fn addresses_are_compared_trimmed_and_of_email_in_lower_case() {
    let csv = lake_of([
        endpoint("a", "EMAIL", "One@x.de"),
        endpoint("b", "EMAIL", "\tone@X.de \r\n"),
        endpoint("b", "EMAIL", "one@x.de"),
        endpoint("a", "SMS", "+1"),
        endpoint("b", "SMS", " +1"),
        // Tokens are told apart by case; channels are never mixed; neither nothing nor blanks are an address.
        endpoint("a", "GCM", "token"),
        endpoint("b", "GCM", "TOKEN"),
        endpoint("a", "CUSTOM", "hook"),
        endpoint("b", "VOICE", "hook"),
        endpoint("a", "EMAIL", ""),
        endpoint("b", "EMAIL", ""),
        endpoint("a", "EMAIL", " "),
        endpoint("b", "EMAIL", "\t"),
        json!({ "channel_type": "EMAIL", "address": "two@x.de" }),
        json!({ "channel_type": "EMAIL", "address": "two@x.de" }),
        json!({ "id": "a", "address": "no channel", "user_id": "u" }),
        json!({ "id": "b", "address": "no channel", "user_id": "u" }),
    ])
    .csv("duplicate-addresses", &[])
    .await;
    assert_eq!(
        csv,
        "channel_type,address,endpoints,active_endpoints,users\n\
         EMAIL,one@x.de,3,0,0\n\
         SMS,+1,2,0,0\n\
         ,no channel,2,0,1\n"
    );
}

#[tokio::test]
async fn address_quality() {
    assert_eq!(
        lake().csv("address-quality", &[]).await,
        "channel_type,problem,endpoints,share,channel_share\n\
         APNS,missing,1,0.125,1.0\n\
         CUSTOM,missing,1,0.125,0.5\n\
         ,missing,1,0.125,1.0\n"
    );
    assert_eq!(
        awkward().csv("address-quality", &[]).await,
        "channel_type,problem,endpoints,share,channel_share\n\
         APNS,missing,2,0.2,1.0\n\
         GCM,odd_token_length,2,0.2,1.0\n\
         EMAIL,bad_domain,1,0.1,0.5\n\
         IN_APP,missing,1,0.1,1.0\n\
         SMS,not_e164,1,0.1,0.5\n\
         VOICE,missing,1,0.1,1.0\n"
    );
}

/// The problem of each of these addresses of a channel, nothing for none. Those with one problem are looked at together: they
/// make one row.
async fn assert_problems(channel: &str, cases: &[(&str, &str)]) {
    let mut addresses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (address, problem) in cases {
        addresses.entry(problem).or_default().push(address);
    }
    for (problem, addresses) in addresses {
        let records = addresses.iter().map(|address| endpoint("a", channel, address));
        let csv = lake_of(records).csv("address-quality", &[]).await;
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        let expected = format!("{channel},{problem},{},1.0,1.0", addresses.len());
        let expected = if problem.is_empty() { vec![] } else { vec![&*expected] };
        assert_eq!(rows, expected, "{addresses:?}");
    }
}

#[tokio::test]
async fn email_addresses_have_a_host_name_behind_the_last_at() {
    assert_problems(
        "EMAIL",
        &[
            ("a@example.com", ""),
            ("a@EXAMPLE.COM", ""),
            ("a@b@c.de", ""),
            ("a@münchen.de", ""),
            ("a@例え.jp", ""),
            ("a@xn--80ak6aa92e.com", ""),
            ("a@7.x", ""),
            ("a b@c.de", ""),
            ("", "missing"),
            ("a.example.com", "no_at"),
            (" ", "no_at"),
            ("@", "bad_domain"),
            ("a@", "bad_domain"),
            ("a@localhost", "bad_domain"),
            ("a@b..c", "bad_domain"),
            ("a@-b.c", "bad_domain"),
            ("a@b-.c", "bad_domain"),
            ("a@b.c.", "bad_domain"),
            ("a@.b.c", "bad_domain"),
            ("a@b_c.de", "bad_domain"),
            ("a@[1.2.3.4]", "bad_domain"),
            ("a@1.2.3.4", "bad_domain"),
            ("a@b c.de", "bad_domain"),
            ("a@b.de\n", "bad_domain"),
        ],
    )
    .await;
}

#[tokio::test]
async fn phone_numbers_are_a_plus_and_digits() {
    for channel in ["SMS", "VOICE"] {
        assert_problems(
            channel,
            &[
                ("+12", ""),
                ("+123456789012345", ""),
                ("+1", "not_e164"),
                ("+1234567890123456", "not_e164"),
                ("+0123456789", "not_e164"),
                ("12025550100", "not_e164"),
                ("+1 (202) 555-0100", "not_e164"),
                ("+٤٤٧٧", "not_e164"),
                (" +4930123456", "not_e164"),
                ("", "missing"),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn push_tokens_have_the_length_that_their_service_gives_them() {
    let odd = "odd_token_length";
    for (channel, shortest, longest) in [
        ("APNS", 64, 64),
        ("APNS_SANDBOX", 64, 64),
        ("APNS_VOIP", 64, 64),
        ("APNS_VOIP_SANDBOX", 64, 64),
        ("GCM", 100, 4096),
        ("PUSH", 64, 4096),
        ("ADM", 100, 1536),
        ("BAIDU", 15, 20),
    ] {
        // Characters count, not bytes.
        let token = |length: usize| "é".repeat(length);
        let (short, first, last, long) =
            (token(shortest - 1), token(shortest), token(longest), token(longest + 1));
        assert_problems(channel, &[(&short, odd), (&first, ""), (&last, ""), (&long, odd)]).await;
    }
    for channel in ["CUSTOM", "IN_APP", "TELEPATHY"] {
        assert_problems(channel, &[("x", ""), ("", "missing")]).await;
    }
}

#[tokio::test]
async fn email_domains() {
    assert_eq!(
        lake().csv("email-domains", &[]).await,
        "domain,endpoints,opted_out_share\nexample.com,3,0.3333333333333333\n"
    );
    assert_eq!(
        awkward().csv("email-domains", &[]).await,
        "domain,endpoints,opted_out_share\nexample.com,2,0.5\n"
    );
    let lake = lake_of([
        endpoint("a", "EMAIL", "a@X.de"),
        json!({ "channel_type": "EMAIL", "address": "b@c@x.DE\t", "opt_out": "ALL" }),
        endpoint("c", "EMAIL", "no at"),
        endpoint("d", "EMAIL", "a@"),
        endpoint("e", "EMAIL", ""),
        json!({ "channel_type": "EMAIL", "opt_out": "ALL" }),
        endpoint("f", "EMAIL", "a@münchen.de"),
        endpoint("g", "CUSTOM", "a@custom.de"),
        json!({ "address": "a@none.de" }),
    ]);
    assert_eq!(
        lake.csv("email-domains", &[]).await,
        "domain,endpoints,opted_out_share\n,4,0.25\nx.de,2,0.5\nmünchen.de,1,0.0\n"
    );
    let most = lake.csv("email-domains", &[("min_endpoints", "3")]).await;
    assert_eq!(most, "domain,endpoints,opted_out_share\n,4,0.25\n");
}

#[tokio::test]
async fn phone_countries() {
    assert_eq!(lake().csv("phone-countries", &[]).await, "calling_code,country,endpoints\n81,JP,1\n");
    assert_eq!(awkward().csv("phone-countries", &[]).await, "calling_code,country,endpoints\n,,2\n44,GG,1\n");
    let numbers = ["+1 202 555 0100", "+1 242 555 0100", "+1-202-555-0101", "+449"];
    let lake = lake_of(numbers.map(|number| endpoint("a", "VOICE", number)));
    assert_eq!(
        lake.csv("phone-countries", &[]).await,
        "calling_code,country,endpoints\n1,US,2\n1,BS,1\n44,GB,1\n"
    );
    let most = lake.csv("phone-countries", &[("min_endpoints", "2")]).await;
    assert_eq!(most, "calling_code,country,endpoints\n1,US,2\n");
}

#[tokio::test]
async fn phone_numbers_belong_to_the_longest_prefix() {
    let cases = [
        ("+12045550100", "1,CA"),
        ("+441481960194", "44,GG"),
        ("+447700900123", "44,GB"),
        ("+79161234567", "7,RU"),
        ("+77011234567", "7,KZ"),
        ("+ (49) 30/123-456", "49,DE"),
        ("\t+49\u{a0}30123456\r\n", "49,DE"),
        ("+3906123456", "39,IT"),
        ("+390669812345", "39,VA"),
        ("+35818123", "358,AX"),
        ("+3584", "358,FI"),
        // Satellite phones, and prefixes that nobody has.
        ("+88161234567", "881,"),
        ("+999123", ","),
        ("+", ","),
        ("++", ","),
        ("0049301234", ","),
        ("12025550100", ","),
        ("", ","),
    ];
    let mut expected: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, belongs_to) in cases {
        *expected.entry(belongs_to).or_default() += 1;
    }
    // None of another channel.
    let mut all: Vec<Value> = cases.map(|(number, _)| endpoint("a", "SMS", number)).into();
    all.push(endpoint("a", "EMAIL", "+49"));
    let csv = lake_of(all).csv("phone-countries", &[]).await;
    let found: BTreeMap<&str, u32> = csv
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit_once(','))
        .map(|(belongs_to, count)| (belongs_to, count.parse().expect("a count")))
        .collect();
    assert_eq!(found, expected);
}
