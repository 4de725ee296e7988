//! The population's promises: one description read in two ways, the same bytes everywhere, every kind of record.

mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use super::*;

fn population(endpoints: u64, odd_share: f64) -> Population {
    Population::new(PopulationOptions { endpoints, odd_share, ..PopulationOptions::default() })
}

fn line(population: &Population, index: u64) -> String {
    let mut line = Vec::new();
    population.write_line(index, &mut line);
    String::from_utf8(line).unwrap_or_else(|error| panic!("line {index} is not UTF-8: {error}"))
}

fn unzip(piece: &[u8]) -> String {
    let mut text = String::new();
    if let Err(error) = MultiGzDecoder::new(piece).read_to_string(&mut text) {
        panic!("the piece does not decompress: {error}");
    }
    text
}

#[test]
fn the_oracle_says_what_an_independent_reader_reads() {
    for odd_share in [0.0, 1.0] {
        let population = population(4_000, odd_share);
        for index in 0..population.endpoints() {
            let line = line(&population, index);
            assert_eq!(reader::read(&line), population.endpoint(index), "{line}");
        }
    }
}

/// Audiences of every size of record, with further attributes and in any order of members.
fn unusual_populations(endpoints: u64, odd_share: f64) -> Vec<Population> {
    let mut populations = Vec::new();
    for records in RecordSize::ALL {
        for further_attributes in [0, 5] {
            for shuffle_members in [false, true] {
                populations.push(Population::new(PopulationOptions {
                    endpoints,
                    odd_share,
                    records,
                    further_attributes,
                    shuffle_members,
                    ..PopulationOptions::default()
                }));
            }
        }
    }
    populations
}

#[test]
fn the_oracle_knows_every_size_of_record_and_any_order_of_members() {
    for odd_share in [0.0, 1.0] {
        for population in unusual_populations(600, odd_share) {
            for index in 0..population.endpoints() {
                let line = line(&population, index);
                assert_eq!(reader::read(&line), population.endpoint(index), "{line}");
            }
        }
    }
}

#[test]
fn sizes_of_records_are_what_they_say() {
    let mean = |records, further_attributes| {
        let options = PopulationOptions {
            endpoints: 3_000,
            records,
            further_attributes,
            ..PopulationOptions::default()
        };
        let population = Population::new(options);
        (0..3_000).map(|index| line(&population, index).len()).sum::<usize>() / 3_000
    };
    let (sparse, usual, rich) =
        (mean(RecordSize::Sparse, 0), mean(RecordSize::Usual, 0), mean(RecordSize::Rich, 0));
    assert!((290..390).contains(&sparse), "{sparse} bytes a sparse line");
    assert!((1_450..1_750).contains(&rich), "{rich} bytes a rich line");
    let further = mean(RecordSize::Usual, 10);
    assert!((usual + 200..usual + 300).contains(&further), "{further} bytes with ten attributes more");
    // None of their names is in an audience without them.
    let usual = population(3_000, 0.0);
    assert!((0..3_000).all(|index| !line(&usual, index).contains("custom0")));
}

#[test]
fn shuffled_members_are_the_same_members_in_many_orders() {
    let usual = population(500, 0.0);
    let options = PopulationOptions { shuffle_members: true, ..usual.options().clone() };
    let shuffled = Population::new(options);
    let mut first_members = BTreeSet::new();
    for index in 0..500 {
        let line = line(&shuffled, index);
        assert_eq!(shuffled.endpoint(index), usual.endpoint(index));
        first_members.insert(line.split('"').nth(1).unwrap_or_default().to_owned());
    }
    assert_eq!(first_members.len(), 13, "each member comes first somewhere: {first_members:?}");
}

#[test]
fn a_seed_names_the_same_bytes_in_every_release() {
    let population = population(10, 0.0);
    let lines: Vec<String> = (0..10).map(|index| line(&population, index)).collect();
    let kept: Vec<&str> = include_str!("tests/first_lines.ndjson").lines().collect();
    assert_eq!(lines, kept);
    let other = Population::new(PopulationOptions { seed: 1, ..population.options().clone() });
    assert_ne!(line(&other, 0), kept[0]);
}

#[test]
fn odd_records_change_nothing_in_the_others() {
    let (plain, odd) = (population(2_000, 0.0), population(2_000, 0.1));
    let changed = (0..2_000).filter(|&index| line(&plain, index) != line(&odd, index)).count();
    assert!((100..260).contains(&changed), "{changed} of 2000 are odd");
}

#[test]
fn lines_have_the_length_and_the_member_order_of_real_ones() {
    let population = population(5_000, 0.0);
    let order = [
        "\"ChannelType\":",
        "\"Address\":",
        "\"EndpointStatus\":",
        "\"OptOut\":",
        "\"Location\":",
        "\"Demographic\":",
        "\"EffectiveDate\":",
        "\"Attributes\":",
        "\"Metrics\":",
        "\"User\":",
        "\"ApplicationId\":",
        "\"Id\":",
        "\"CreationDate\":",
    ];
    let mut bytes = 0;
    for index in 0..population.endpoints() {
        let line = line(&population, index);
        bytes += line.len();
        let places: Vec<usize> = order.iter().filter_map(|member| line.find(member)).collect();
        assert!(places.is_sorted(), "{line}");
        assert!(
            !line.contains("CohortId") && !line.contains("RequestId") && !line.contains("null"),
            "{line}"
        );
    }
    let mean = bytes / 5_000;
    assert!((620..780).contains(&mean), "{mean} bytes a line");
}

/// A question about an endpoint.
type Test<'a> = &'a dyn Fn(&Endpoint) -> bool;

#[test]
fn every_awkward_kind_of_record_occurs() {
    let population = population(20_000, 0.0);
    let endpoints: Vec<Endpoint> = population.iter().collect();
    let count =
        |test: &dyn Fn(&Endpoint) -> bool| endpoints.iter().filter(|&endpoint| test(endpoint)).count();
    let channel = |endpoint: &Endpoint, name: &str| endpoint.channel_type.as_deref() == Some(name);
    let address = |endpoint: &Endpoint| endpoint.address.clone().unwrap_or_default();
    let attribute = |endpoint: &Endpoint, name: &str| {
        endpoint.attributes.as_ref().and_then(|attributes| attributes.get(name)).cloned().unwrap_or_default()
    };
    let kinds: [(&str, Test<'_>); 20] = [
        ("alpha-3 country", &|e| e.country().is_some_and(|country| country.len() == 3)),
        ("alpha-2 country", &|e| e.country().is_some_and(|country| country.len() == 2)),
        ("ghost", &|e| {
            e.address.is_none() && e.creation_date.is_none() && e.effective_date.is_none() && e.user.is_none()
        }),
        ("opted-out Amplify device", &|e| {
            e.opt_out.as_deref() == Some("ALL")
                && e.location == Some(Location::default())
                && e.metrics.as_ref().is_some_and(BTreeMap::is_empty)
                && e.user_id().is_some_and(|id| id.starts_with("ap-southeast-1:"))
                && !attribute(e, "isEmulator").is_empty()
        }),
        ("phone without plus", &|e| channel(e, "SMS") && !address(e).starts_with('+')),
        ("phone in brackets", &|e| address(e).starts_with("(202)")),
        ("phone of 16 digits", &|e| {
            channel(e, "SMS") && address(e).len() == 16 && !address(e).starts_with('+')
        }),
        ("e-mail without @", &|e| channel(e, "EMAIL") && !address(e).is_empty() && !address(e).contains('@')),
        ("empty user", &|e| e.user == Some(User::default())),
        ("id with a slash", &|e| e.id.as_ref().is_some_and(|id| id.contains('/'))),
        ("id with a plus", &|e| e.id.as_ref().is_some_and(|id| id.contains('+'))),
        ("UUID id", &|e| e.id.as_ref().is_some_and(|id| id.len() == 36)),
        ("number id", &|e| e.id.as_ref().is_some_and(|id| id.parse::<u32>().is_ok())),
        ("non-ASCII user id", &|e| e.user_id().is_some_and(|id| !id.is_ascii())),
        ("list of several", &|e| attribute(e, "interests").len() > 1),
        ("name in another case", &|e| !attribute(e, "Plan").is_empty()),
        ("zone outside the database", &|e| {
            e.demographic.as_ref().and_then(|demographic| demographic.timezone.as_deref()) == Some("CST")
        }),
        ("negative metric", &|e| e.metrics.iter().flatten().any(|(_, value)| *value < 0.0)),
        ("never updated", &|e| e.creation_date.is_some() && e.creation_date == e.effective_date),
        ("targetable", &Endpoint::is_targetable),
    ];
    for (name, test) in kinds {
        assert!(count(test) >= 5, "{} of kind: {name}", count(test));
    }
    let channels: BTreeSet<&str> =
        endpoints.iter().filter_map(|endpoint| endpoint.channel_type.as_deref()).collect();
    assert_eq!(channels.len(), 13, "{channels:?}");
}

#[test]
fn ids_are_unique_and_users_addresses_and_dates_are_shared() {
    let population = population(20_000, 0.0);
    let mut ids = BTreeSet::new();
    let (mut users, mut addresses, mut dates) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for endpoint in population.iter() {
        assert!(endpoint.creation_date <= endpoint.effective_date);
        if let Some(user) = endpoint.user_id() {
            let (count, channels): &mut (u32, BTreeSet<_>) = users.entry(user.to_owned()).or_default();
            *count += 1;
            channels.insert(endpoint.channel_type.clone());
        }
        *addresses.entry((endpoint.channel_type, endpoint.address)).or_insert(0_u32) += 1;
        *dates.entry(endpoint.creation_date).or_insert(0_u32) += 1;
        ids.insert(endpoint.id.map(|id| id.to_lowercase()));
    }
    assert_eq!(ids.len(), 20_000);
    assert_eq!(users.values().map(|(count, _)| *count).max(), Some(15));
    assert!(users.values().any(|(_, channels)| channels.len() > 2));
    let shared = addresses.iter().filter(|((_, address), count)| address.is_some() && **count > 1).count();
    assert!(shared > 20, "{shared} shared addresses");
    let batches = dates.iter().filter(|(date, count)| date.is_some() && **count > 50).count();
    assert!(batches > 15, "{batches} batches");
}

#[test]
fn a_larger_audience_begins_with_the_smaller_one() {
    let (small, large) = (population(300, 0.0), population(90_000, 0.0));
    assert!((0..300).all(|index| line(&small, index) == line(&large, index)));
}

#[test]
fn pieces_hold_every_line_once_without_a_last_line_feed() {
    let population = population(1_000, 0.0);
    let ranges = population.pieces(7);
    assert_eq!(ranges.len(), 7);
    assert!(ranges.iter().all(|range| (142..=143).contains(&(range.end - range.start))));
    let texts: Vec<String> = ranges.into_iter().map(|range| unzip(&population.piece(range))).collect();
    assert!(texts.iter().all(|text| !text.ends_with('\n') && !text.contains("\n\n")));
    let expected: Vec<String> = (0..1_000).map(|index| line(&population, index)).collect();
    assert_eq!(texts.join("\n").split('\n').collect::<Vec<_>>(), expected);
}

#[test]
fn no_piece_is_empty() {
    assert_eq!(population(3, 0.0).pieces(10).len(), 3);
    assert_eq!(population(3, 0.0).pieces(0), vec![Range { start: 0, end: 3 }]);
    assert_eq!(population(0, 0.0).pieces(4), []);
    assert_eq!(unzip(&population(3, 0.0).piece(2..2)), "");
}

#[test]
fn threads_do_not_change_the_files() -> Result<(), Box<dyn std::error::Error>> {
    let population = population(9_000, 0.05);
    let folder = tempfile::tempdir()?;
    let done = AtomicU64::new(0);
    let mut contents = Vec::new();
    for threads in [1, 3] {
        let to = folder.path().join(format!("{threads}"));
        let progress = |endpoints| {
            done.fetch_add(endpoints, Ordering::Relaxed);
        };
        let paths = population.write_pieces(&to, 4, threads, &progress)?;
        assert_eq!(fs::read_dir(&to)?.count(), 4);
        let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()?.to_str()).collect();
        assert_eq!(names, ["part-00000.gz", "part-00001.gz", "part-00002.gz", "part-00003.gz"]);
        contents.push(paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?);
    }
    assert_eq!(contents[0], contents[1]);
    assert_eq!(contents[0][1], population.piece(population.pieces(4)[1].clone()));
    assert_eq!(done.load(Ordering::Relaxed), 18_000);
    let again = population.write_pieces(&folder.path().join("1"), 4, 1, &|_| {});
    assert!(matches!(again, Err(PopulationError::FolderNotEmpty { .. })));
    Ok(())
}
