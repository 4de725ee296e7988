//! Pages of a bucket's keys, with S3's rules for prefixes and delimiters.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Object;

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only keys that begin so.
    pub prefix: String,
    /// Rolls keys up: what follows the prefix is cut behind the first of these.
    pub delimiter: Option<String>,
    /// Only keys and common prefixes behind this one.
    pub after: Option<String>,
    /// Keys and common prefixes on the page, at most.
    pub max_keys: usize,
}

/// A page of a listing.
#[derive(Debug, Clone, Default)]
pub struct ListPage {
    /// Keys and objects, in order.
    pub objects: Vec<(String, Object)>,
    /// Rolled-up prefixes, in order.
    pub common_prefixes: Vec<String>,
    /// The last key or common prefix of the page where there are more: the next page's `after`.
    pub next: Option<String>,
}

/// The page that answers a query.
pub(super) fn page(objects: &BTreeMap<String, Object>, query: &ListQuery) -> ListPage {
    let mut page = ListPage::default();
    let mut last: Option<&str> = None;
    if query.max_keys == 0 {
        return page;
    }
    let start = match &query.after {
        Some(after) if *after >= query.prefix => Bound::Excluded(after.as_str()),
        _ => Bound::Included(query.prefix.as_str()),
    };
    for (key, object) in objects.range::<str, _>((start, Bound::Unbounded)) {
        if !key.starts_with(&query.prefix) {
            break;
        }
        let common_prefix = common_prefix(key, query);
        let entry = common_prefix.unwrap_or(key);
        // A common prefix stands once, on the page where its first key would.
        let told = last == Some(entry) || query.after.as_deref().is_some_and(|after| entry <= after);
        if told {
            continue;
        }
        if page.objects.len() + page.common_prefixes.len() == query.max_keys {
            page.next = last.map(str::to_owned);
            break;
        }
        match common_prefix {
            Some(prefix) => page.common_prefixes.push(prefix.to_owned()),
            None => page.objects.push((key.clone(), object.clone())),
        }
        last = Some(entry);
    }
    page
}

/// The prefix that the key is rolled up into, if it is.
fn common_prefix<'key>(key: &'key str, query: &ListQuery) -> Option<&'key str> {
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
    let rest = &key[query.prefix.len()..];
    let position = rest.find(delimiter)?;
    Some(&key[..query.prefix.len() + position + delimiter.len()])
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn objects(keys: &[&str]) -> BTreeMap<String, Object> {
        keys.iter().map(|key| ((*key).to_owned(), Object::new(Bytes::new()))).collect()
    }

    /// Every entry of every page, as `key` or `prefix*`, and the number of pages.
    fn walk(objects: &BTreeMap<String, Object>, query: &ListQuery) -> (Vec<String>, usize) {
        let (mut entries, mut pages, mut query) = (Vec::new(), 0, query.clone());
        loop {
            let page = page(objects, &query);
            let mut page_entries: Vec<String> = page.objects.into_iter().map(|(key, _)| key).collect();
            page_entries.extend(page.common_prefixes.iter().map(|prefix| format!("{prefix}*")));
            page_entries.sort();
            entries.append(&mut page_entries);
            pages += 1;
            match page.next {
                Some(next) => query.after = Some(next),
                None => return (entries, pages),
            }
        }
    }

    #[test]
    fn pages_hold_every_key_once() {
        let keys: Vec<String> = (0..2_500).map(|number| format!("e/{number:05}.gz")).collect();
        let objects = objects(&keys.iter().map(String::as_str).collect::<Vec<_>>());
        let query = ListQuery { prefix: "e/".to_owned(), max_keys: 1_000, ..ListQuery::default() };
        assert_eq!(walk(&objects, &query), (keys, 3));
    }

    #[test]
    fn a_full_last_page_is_not_truncated() {
        let objects = objects(&["a", "b", "c", "d"]);
        let query = ListQuery { max_keys: 2, ..ListQuery::default() };
        assert_eq!(walk(&objects, &query).1, 2);
    }

    #[test]
    fn delimiters_roll_up_across_pages() {
        let objects = objects(&["x", "a/1", "a/2", "a/3", "b", "c/d/1", "c/d/2", "c/e"]);
        for max_keys in 1..6 {
            let query = ListQuery { delimiter: Some("/".to_owned()), max_keys, ..ListQuery::default() };
            assert_eq!(walk(&objects, &query).0, ["a/*", "b", "c/*", "x"], "{max_keys} a page");
        }
        let query = ListQuery {
            prefix: "c/".to_owned(),
            delimiter: Some("/".to_owned()),
            max_keys: 10,
            ..ListQuery::default()
        };
        assert_eq!(walk(&objects, &query).0, ["c/d/*", "c/e"]);
    }

    #[test]
    fn siblings_of_a_prefix_and_earlier_keys_stay_out() {
        let objects = objects(&["e-1/a", "e-12/a", "e-1", "d"]);
        let query = ListQuery { prefix: "e-1/".to_owned(), max_keys: 10, ..ListQuery::default() };
        assert_eq!(walk(&objects, &query).0, ["e-1/a"]);
        let query = ListQuery { after: Some("e-1/a".to_owned()), max_keys: 10, ..ListQuery::default() };
        assert_eq!(walk(&objects, &query).0, ["e-12/a"]);
        let query = ListQuery { max_keys: 0, ..ListQuery::default() };
        assert_eq!(walk(&objects, &query), (Vec::new(), 1));
    }
}
