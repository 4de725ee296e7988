//! File names for pieces: the relative name where it is a plain path, else one made from the name's hash.
//!
//! A name is plain when every system takes it for a path below the destination and no two names meet there:
//! not absolute, no `.`, `..` or empty part, no backslash, no control character, not too long, nothing that
//! listing a folder passes over (hidden names, `*.partial`, `fetch.json`), and no clash with another name, be
//! it in the case of its letters or because one is a folder of the other. In a clash all names give way, so the
//! outcome does not depend on their order.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use crate::fetch::hex;
use crate::filter::{INDEX_FILE, PARTIAL_SUFFIX};

/// The longest part of a path, in bytes: 255 on the usual file systems, less what `.partial` takes.
const PART_MAX_BYTES: usize = 255 - PARTIAL_SUFFIX.len();

/// The longest relative path, in bytes. It leaves the rest of a path of 4,096 to the destination.
const PATH_MAX_BYTES: usize = 1_000;

/// Characters that part a path, or that the system does not allow in names.
const NOT_IN_NAMES: &[char] =
    if cfg!(windows) { &['\\', ':', '*', '?', '"', '<', '>', '|'] } else { &['\\'] };

/// Suffixes that a safe name keeps, longest first: they say how to read the file.
const KEPT_SUFFIXES: [&str; 9] =
    [".ndjson.gz", ".jsonl.gz", ".json.gz", ".csv.gz", ".ndjson", ".jsonl", ".json", ".csv", ".gz"];

/// A file name for each relative name, in their order, no two of them alike.
pub(super) fn file_names(relative: &[&str]) -> Vec<String> {
    let folded: Vec<String> = relative.iter().map(|name| name.to_lowercase()).collect();
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in &folded {
        *uses.entry(name).or_default() += 1;
    }
    let folders: HashSet<&str> = folded.iter().flat_map(|name| folders_of(name)).collect();
    let is_free = |name: &str| uses.get(name) == Some(&1) && !folders.contains(name);
    relative
        .iter()
        .zip(&folded)
        .map(
            |(name, folded)| {
                if is_plain(name) && is_free(folded) { (*name).to_owned() } else { safe_name(name) }
            },
        )
        .collect()
}

/// Every folder that a path lies in: `a/b/c` lies in `a` and `a/b`.
fn folders_of(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/').map(|(at, _)| &name[..at])
}

fn is_plain(name: &str) -> bool {
    // A folder that is called like a file of ours would keep that file from being written.
    let is_ours = |part: &str| part == INDEX_FILE || part.ends_with(PARTIAL_SUFFIX);
    let is_plain_part = |part: &str| {
        let is_hidden = part.starts_with(['.', '_']);
        !part.is_empty() && !is_hidden && part.len() <= PART_MAX_BYTES && !is_ours(&part.to_lowercase())
    };
    name.len() <= PATH_MAX_BYTES
        && name.split('/').all(is_plain_part)
        && !name.chars().any(|c| c.is_control() || NOT_IN_NAMES.contains(&c))
}

/// A name from a hash, with the suffix that says how to read the file. 128 bits of SHA-256: two names do not
/// meet by chance, and nobody finds two that do.
pub(super) fn safe_name(name: &str) -> String {
    let digest = hex(&Sha256::digest(name.as_bytes())[..16]);
    let suffix = KEPT_SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)).copied().unwrap_or_default();
    format!("key-{digest}{suffix}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::filter::GZIP_SUFFIX;

    #[test]
    fn plain_names_stay() {
        let names = ["a.gz", "seg/job 1-é.gz", "x/y/z.json.gz", "a:b+c%2F.gz", "2026-10-29/p#1?.gz"];
        assert_eq!(file_names(&names), names);
    }

    #[test]
    fn names_that_are_no_plain_paths_are_replaced() {
        let long_part = "x".repeat(250);
        let long_path = "abcdefgh/".repeat(112) + "x.gz";
        for name in [
            "../x.gz",
            "/abs.gz",
            "a/../../b.gz",
            "a//b.gz",
            "a/./b.gz",
            "a\\b.gz",
            "a\0b.gz",
            "a\nb.gz",
            "",
            ".hidden.gz",
            "_t/x.gz",
            "x.partial",
            "fetch.json",
            "FETCH.JSON",
            "fetch.json/x.gz",
            "a/Fetch.json/x.gz",
            "x.gz.partial/y.gz",
            "sub/",
            &long_part,
            &long_path,
        ] {
            let file = &file_names(&[name])[0];
            assert!(file.starts_with("key-") && !file.contains(['/', '\\']), "{name:?} -> {file}");
            assert_eq!(file.ends_with(GZIP_SUFFIX), name.ends_with(GZIP_SUFFIX), "{file}");
        }
    }

    #[test]
    fn clashes_give_way_on_all_sides() {
        let names = file_names(&["a.gz", "A.gz", "x", "x/y", "X/z", "plain.gz"]);
        assert!(names[..3].iter().all(|name| name.starts_with("key-")), "{names:?}");
        assert_eq!(names[3..], ["x/y", "X/z", "plain.gz"]);
    }

    #[test]
    fn the_hash_keeps_the_suffix() {
        assert!(safe_name("../a.json.gz").ends_with(".json.gz"));
        assert!(safe_name("../a.tar").chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    }

    proptest! {
        #[test]
        fn names_are_below_the_destination_and_distinct(
            raw in prop::collection::hash_set("[abAB./\\\\_\u{0}é]{0,6}", 1..12),
        ) {
            let relative: Vec<&str> = raw.iter().map(String::as_str).collect();
            let names = file_names(&relative);
            let mut seen = HashSet::new();
            for name in &names {
                let is_below = std::path::Path::new(name)
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(is_below && !name.is_empty(), "{name:?}");
                prop_assert!(seen.insert(name.to_lowercase()), "{name:?} twice");
            }
            for name in &names {
                for folder in folders_of(&name.to_lowercase()) {
                    prop_assert!(!seen.contains(folder), "{folder:?} is file and folder");
                }
            }
        }
    }
}
