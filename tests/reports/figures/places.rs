//! Where the audience is, which languages it speaks and by which clocks it lives.

use std::collections::{BTreeMap, BTreeSet};

use pinlake_local::Endpoint;
use serde_json::{Value, json};

use super::super::audience;
use super::{Text, all, assert_figures, at_least, channel, country, share};

#[test]
fn geography() {
    let audience = audience();
    let place = |one: &Endpoint| {
        let location = one.location.clone().unwrap_or_default();
        (country(one), location.region, location.city)
    };
    let mut users: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for one in &audience.endpoints {
        users.entry(place(one)).or_default().extend(one.user_id().map(str::to_owned));
    }
    let expected = audience.count(place).into_iter().map(|(place, endpoints)| {
        let users = users[&place].len();
        let (country, region, city) = place;
        json!({
            "country": country, "region": region, "city": city, "endpoints": endpoints, "users": users,
            "share": share(endpoints, all(&audience)),
        })
    });
    let expected: Vec<Value> = expected.collect();
    assert!(
        audience.endpoints.iter().any(|one| one.country() == Some("USA")),
        "alpha-3 codes are among them"
    );
    assert_figures(&audience, "geography", &[], expected.clone());
    // What is left out is left out of the table and not of the whole.
    assert_figures(&audience, "geography", &["min_endpoints=20"], at_least(20, &expected));
}

/// The distance of two points on the unit sphere by the chord between them, in kilometres on Earth.
fn away_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    let point = |(latitude, longitude): (f64, f64)| {
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
    };
    let squares = point(from).into_iter().zip(point(to)).map(|(from, to)| (from - to).powi(2));
    6371.0088 * 2.0 * (squares.sum::<f64>().sqrt() / 2.0).asin()
}

#[test]
fn geo_radius() {
    let audience = audience();
    let expected = |latitude: f64, longitude: f64, km: f64| -> Vec<Value> {
        let mut near: BTreeMap<Text, Vec<f64>> = BTreeMap::new();
        for one in &audience.endpoints {
            let location = one.location.clone().unwrap_or_default();
            if let (Some(north), Some(east)) = (location.latitude, location.longitude) {
                let away = away_km((latitude, longitude), (north, east));
                if away <= km {
                    near.entry(channel(one)).or_default().push(away);
                }
            }
        }
        let rows = near.into_iter().map(|(channel, away)| {
            let nearest = away.iter().copied().fold(f64::INFINITY, f64::min);
            json!({ "channel_type": channel, "endpoints": away.len(), "nearest_km": nearest })
        });
        rows.collect()
    };
    // Toyama itself, Germany and around, and everything.
    let at =
        |latitude: &str, longitude: &str| [format!("latitude={latitude}"), format!("longitude={longitude}")];
    for (latitude, longitude, km) in
        [("36.7", "137.2", None), ("50", "10", Some("900")), ("-17.5", "-179.9", Some("20000"))]
    {
        let mut params = at(latitude, longitude).to_vec();
        params.extend(km.map(|km| format!("km={km}")));
        let params: Vec<&str> = params.iter().map(String::as_str).collect();
        let number = |text: &str| text.parse().unwrap();
        let rows = expected(number(latitude), number(longitude), number(km.unwrap_or("50")));
        assert_figures(&audience, "geo-radius", &params, rows);
    }
}

#[test]
fn locales() {
    let audience = audience();
    let locale = |one: &Endpoint| one.demographic.as_ref().and_then(|device| device.locale.clone());
    // All locales of the population are a language and a country.
    let parts = |one: &Endpoint| -> (Text, Text) {
        let locale = locale(one);
        let Some((language, region)) = locale.as_deref().and_then(|locale| locale.split_once('_')) else {
            return (locale, None);
        };
        (Some(language.to_owned()), Some(region.to_owned()))
    };
    let differs = |one: &Endpoint| match (parts(one).1, country(one)) {
        (Some(region), Some(country)) => region != country,
        _ => false,
    };
    let differing = audience.count(|one| (parts(one), differs(one)));
    let rows = audience.count(parts).into_iter().map(|(parts, endpoints)| {
        let country_mismatch = differing.get(&(parts.clone(), true)).copied().unwrap_or(0);
        let (language, region) = parts;
        json!({
            "language": language, "locale_region": region, "endpoints": endpoints,
            "country_mismatch": country_mismatch,
        })
    });
    let rows: Vec<Value> = rows.collect();
    assert_figures(&audience, "locales", &[], rows.clone());
    assert_figures(&audience, "locales", &["min_endpoints=100"], at_least(100, &rows));
}

#[test]
fn timezones() {
    // What the population has beside the names of the database.
    const ODD: [&str; 4] = ["CST", "Europe/Munich", "GMT+9", "america/new_york"];
    let audience = audience();
    let timezone = |one: &Endpoint| one.demographic.as_ref().and_then(|device| device.timezone.clone());
    let zones = audience.count(timezone);
    assert!(ODD.iter().any(|odd| zones.contains_key(&Some((*odd).to_owned()))), "odd names are among them");
    let rows = zones.into_iter().map(|(timezone, endpoints)| {
        let valid = timezone.as_deref().map(|name| !ODD.contains(&name));
        json!({ "timezone": timezone, "endpoints": endpoints, "valid": valid })
    });
    assert_figures(&audience, "timezones", &[], rows.collect());
}
