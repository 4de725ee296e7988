//! Where the audience is, which languages it speaks and by which clocks it lives.

use serde_json::{Value, json};

use super::{awkward, lake, lake_of};
use crate::test_lake::chain;

#[tokio::test]
async fn geography() {
    assert_eq!(
        lake().csv("geography", &[]).await,
        "country,region,city,endpoints,users,share\n\
         ,,,3,0,0.375\n\
         JP,,Toyama,2,1,0.25\n\
         Atlantis,,,1,1,0.125\n\
         US,TX,Austin,1,1,0.125\n\
         US,,,1,1,0.125\n"
    );
}

#[tokio::test]
async fn geography_counts_people_once_and_knows_countries_by_either_code() {
    assert_eq!(
        awkward().csv("geography", &[]).await,
        "country,region,city,endpoints,users,share\n\
         ,,,7,3,0.7\n\
         GB,,,2,1,0.2\n\
         XX,,,1,1,0.1\n"
    );
}

/// Endpoints of some channels in these places.
fn positions() -> Vec<Value> {
    let place = |channel: &str, latitude: f64, longitude: f64| json!({ "channel_type": channel, "latitude": latitude, "longitude": longitude });
    vec![
        place("EMAIL", 36.7, 137.2),
        place("SMS", 36.7, 137.2),
        place("SMS", 34.4, 132.5),
        place("GCM", -17.0, -179.9),
        place("GCM", 90.0, 12.0),
        // Off the Earth, and halfway to a place.
        place("EMAIL", 90.1, 0.0),
        place("EMAIL", 36.7, 180.5),
        json!({ "channel_type": "EMAIL", "latitude": 36.7 }),
        json!({ "channel_type": "EMAIL", "longitude": 137.2 }),
        json!({ "latitude": 36.7, "longitude": 137.3 }),
    ]
}

/// The rows near a point: channel, endpoints and whole kilometres to the nearest.
async fn near(latitude: &str, longitude: &str, km: &str) -> Vec<String> {
    let params = [("latitude", latitude), ("longitude", longitude), ("km", km)];
    let csv = lake_of(positions()).csv("geo-radius", &params).await;
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("channel_type,endpoints,nearest_km"));
    let rows = lines.map(|line| {
        let (counted, nearest) = line.rsplit_once(',').expect("three cells");
        format!("{counted},{:.0}", nearest.parse::<f64>().expect("kilometres").floor())
    });
    rows.collect()
}

#[tokio::test]
async fn geo_radius() {
    // A tenth of a degree of longitude is 8.9 km there.
    assert_eq!(near("36.7", "137.2", "50").await, ["EMAIL,1,0", "SMS,1,0", ",1,8"]);
    assert_eq!(near("36.7", "137.2", "8.9").await, ["EMAIL,1,0", "SMS,1,0"], "8.915 km are more than 8.9");
    assert_eq!(near("36.7", "137.2", "0").await, ["EMAIL,1,0", "SMS,1,0"], "the radius counts");
    // Toyama to Hiroshima: 496 km.
    assert_eq!(near("36.7", "137.2", "497").await, ["SMS,2,0", "EMAIL,1,0", ",1,8"]);
    assert_eq!(near("36.7", "137.2", "495").await, ["EMAIL,1,0", "SMS,1,0", ",1,8"]);
    // Over the date line, 10.6 km; from pole to pole, half the way round; at the pole no longitude matters.
    assert_eq!(near("-17", "180", "11").await, ["GCM,1,10"]);
    assert_eq!(near("-90", "0", "20016").await.len(), 4);
    assert_eq!(near("-90", "0", "20016").await[0], "GCM,2,8117");
    assert_eq!(near("90", "-100", "1").await, ["GCM,1,0"]);
    // Nothing is near a point that is none, nor within less than nothing.
    for (latitude, longitude, km) in [("95", "0", "30000"), ("36.7", "181", "30000"), ("36.7", "137.2", "-1")]
    {
        assert!(near(latitude, longitude, km).await.is_empty(), "{latitude} {longitude} {km}");
    }
    // Exports without positions.
    let toyama = [("latitude", "36.7"), ("longitude", "137.2")];
    assert_eq!(lake().csv("geo-radius", &toyama).await, "channel_type,endpoints,nearest_km\n");
    let error = lake().report("geo-radius", &[("latitude", "36.7")]).await.unwrap_err();
    assert!(chain(&error).contains("longitude"), "{error}");
}

#[tokio::test]
async fn locales() {
    assert_eq!(
        lake().csv("locales", &[]).await,
        "language,locale_region,endpoints,country_mismatch\n,,8,0\n"
    );
    // The country XX is unknown, so that it cannot differ from Taiwan.
    assert_eq!(
        awkward().csv("locales", &[]).await,
        "language,locale_region,endpoints,country_mismatch\n\
         ,,7,0\n\
         en,GB,1,0\n\
         en,US,1,1\n\
         zh,TW,1,0\n"
    );
}

#[tokio::test]
async fn locales_are_taken_apart_in_every_form_that_devices_tell() {
    let cases = [
        ("en", "en", ""),
        ("EN_us", "en", "US"),
        (" en-GB ", "en", "GB"),
        ("en_USA", "en", "US"),
        ("en_ABC", "en", ""),
        ("zh-Hans", "zh", ""),
        ("zh_Hant_TW", "zh", "TW"),
        ("zh-yue-Hant-HK", "zh", "HK"),
        ("es_419", "es", "419"),
        ("en_US.UTF-8", "en", "US"),
        ("en_US@calendar=japanese", "en", "US"),
        ("sr@latin", "sr", ""),
        ("de_DE_1996", "de", "DE"),
        ("de-1996", "de", ""),
        ("ja_JP_#u", "ja", "JP"),
        ("_US", "", "US"),
        ("日本_JP", "日本", "JP"),
        ("", "", ""),
    ];
    let csv = lake_of(cases.map(|(locale, ..)| json!({ "locale": locale }))).csv("locales", &[]).await;
    let mut found: Vec<&str> = csv.lines().skip(1).collect();
    let mut expected: Vec<String> = cases.map(|(_, language, region)| format!("{language},{region}")).into();
    expected.sort();
    let repeats = |row: &String| expected.iter().filter(|other| *other == row).count();
    let mut expected: Vec<String> = expected.iter().map(|row| format!("{row},{},0", repeats(row))).collect();
    expected.dedup();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn locales_differ_from_known_countries_only() {
    let agree = [
        ("en_US", "US"),
        ("en_US", " usa"),
        ("es_419", "MX"),
        ("en", "MX"),
        ("en_US", "Atlantis"),
        ("en_US", ""),
    ];
    let differ = [("en_US", "MEX"), ("en_USA", "MX"), ("en-us", " gbr ")];
    let mismatches = async |cases: &[(&str, &str)]| {
        let records = cases.iter().map(|(locale, country)| json!({ "locale": locale, "country": country }));
        let csv = lake_of(records).csv("locales", &[]).await;
        let counts = csv.lines().skip(1).filter_map(|line| line.rsplit_once(',')?.1.parse::<u32>().ok());
        counts.sum::<u32>()
    };
    assert_eq!((mismatches(&agree).await, mismatches(&differ).await), (0, 3));
}

#[tokio::test]
async fn timezones() {
    assert_eq!(lake().csv("timezones", &[]).await, "timezone,endpoints,valid\n,8,\n");
    assert_eq!(
        awkward().csv("timezones", &[]).await,
        "timezone,endpoints,valid\n\
         ,7,\n\
         \"\",1,false\n\
         Europe/London,1,true\n\
         europe/london,1,false\n"
    );
    let cases = [
        ("UTC", true),
        ("Asia/Calcutta", true),
        ("America/Argentina/Buenos_Aires", true),
        ("CST6CDT", true),
        ("CST", false),
        ("Etc/GMT+9", true),
        ("GMT+9", false),
        ("Europe/Munich", false),
        ("UTC ", false),
    ];
    let csv = lake_of(cases.map(|(name, _)| json!({ "timezone": name }))).csv("timezones", &[]).await;
    assert_eq!(csv.lines().count(), 1 + cases.len());
    for (name, valid) in cases {
        let row = format!("{name},1,{valid}");
        assert!(csv.lines().any(|line| line.replace('"', "") == row), "{name}: {csv}");
    }
}
