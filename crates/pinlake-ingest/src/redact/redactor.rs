//! Carrying a redaction out on decoded batches.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray as _, DictionaryArray, Int32Array, RecordBatch, StringArray, new_null_array,
};
use arrow::datatypes::{DataType, Int32Type};
use arrow::error::ArrowError;
use pinlake_decode::schema::member_of;
use pinlake_decode::{DecodedBlock, endpoint_schema};

use super::entries::{EntryRules, with_items, with_values};
use super::extra::Going;
use super::ids::IdHashes;
use super::key::RedactKey;
use super::values::{KnownDictionary, Treatment, no_text, treated};
use super::{RedactMode, Redaction};

/// A redaction in the terms of the table; one for all lanes.
#[derive(Debug)]
pub(crate) struct Rules {
    columns: Vec<(usize, Rule)>,
    /// What goes from `extra`, whose position this is.
    extra: usize,
    going: Going,
    ids: IdHashes,
    /// Members whose entries' names are not told: those of maps that are dropped.
    nameless: Vec<String>,
}

/// What becomes of a column.
#[derive(Debug)]
enum Rule {
    Drop,
    Texts(Treatment),
    Entries(EntryRules),
}

impl Rules {
    pub(crate) fn new(redaction: &Redaction) -> Self {
        let schema = endpoint_schema();
        let key = redaction.key.as_ref();
        let mut rules = Self {
            columns: Vec::new(),
            extra: schema.index_of("extra").unwrap_or(usize::MAX),
            going: Going::default(),
            ids: ids(redaction),
            nameless: Vec::new(),
        };
        for (position, field) in schema.fields().iter().enumerate() {
            let name = field.name();
            let mode = redaction.columns.get(name).copied();
            let entries = redaction.entries.get(name).filter(|entries| !entries.is_empty());
            if mode.is_some() {
                rules.going.add(name, None);
            }
            for entry in entries.into_iter().flat_map(BTreeMap::keys) {
                rules.going.add(name, Some(entry));
            }
            let rule = match (mode, entries) {
                (None, None) => continue,
                (Some(RedactMode::Drop), _) => {
                    rules.nameless.extend(member_path(name, field.data_type()));
                    Rule::Drop
                }
                (Some(mode), None) => match treatment(name, mode, key) {
                    Some(treatment) => Rule::Texts(treatment),
                    None => Rule::Drop,
                },
                (others, Some(entries)) => Rule::Entries(EntryRules {
                    named: entries
                        .iter()
                        .map(|(entry, mode)| (entry.clone(), treatment("", *mode, key)))
                        .collect(),
                    others: others.and_then(|mode| treatment(name, mode, key)),
                }),
            };
            rules.columns.push((position, rule));
        }
        rules
    }
}

/// The path of a map's member, as drift has it.
fn member_path(column: &str, of: &DataType) -> Option<String> {
    let (parent, member) = member_of(column).filter(|_| matches!(of, DataType::Map(..)))?;
    Some(if parent.is_empty() { format!("{member}.") } else { format!("{parent}.{member}.") })
}

/// How a mode treats a column's texts; `None` where it leaves none, or has no key.
fn treatment(column: &str, mode: RedactMode, key: Option<&RedactKey>) -> Option<Treatment> {
    match mode {
        RedactMode::Drop => None,
        RedactMode::Mask => Some(Treatment::Mask { is_postal_code: column == "postal_code" }),
        RedactMode::Hash => key.cloned().map(Treatment::Hash),
    }
}

fn ids(redaction: &Redaction) -> IdHashes {
    match (redaction.columns.get("id"), &redaction.key) {
        (None, _) => IdHashes::Decoded,
        (Some(RedactMode::Hash), Some(key)) => IdHashes::Keyed(key.clone()),
        (Some(_), Some(key)) => IdHashes::Derived(key.derived("pinlake: counting repeated ids")),
        (Some(_), None) => IdHashes::Drawn(RandomState::new()),
    }
}

/// Redacts the batches of one decoder, whose dictionaries it gets to know.
#[derive(Debug)]
pub(crate) struct Redactor {
    rules: Arc<Rules>,
    /// By the position of the column.
    known: BTreeMap<usize, KnownDictionary>,
    no_texts: Arc<StringArray>,
}

impl Redactor {
    pub(crate) fn new(rules: &Arc<Rules>) -> Self {
        let no_texts = Arc::new(StringArray::from(Vec::<&str>::new()));
        Self { rules: Arc::clone(rules), known: BTreeMap::new(), no_texts }
    }

    /// Takes out of what was decoded whatever is not to be kept. Rejects are left to whoever writes them.
    pub(crate) fn redact(&mut self, decoded: &mut DecodedBlock) -> Result<(), ArrowError> {
        let rules = Arc::clone(&self.rules);
        if rules.columns.is_empty() {
            return Ok(());
        }
        if !rules.nameless.is_empty() && !decoded.drift.is_empty() {
            decoded.drift = std::mem::take(&mut decoded.drift).renamed(|member| rules.nameless(member));
        }
        let Some(batch) = &decoded.batch else { return Ok(()) };
        if let Some(hashes) = rules.ids.of(batch) {
            decoded.id_hashes = hashes;
        }
        let mut columns = batch.columns().to_vec();
        for (position, rule) in &rules.columns {
            columns[*position] = self.column(*position, rule, &columns[*position])?;
        }
        if !rules.going.is_empty()
            && let Some(extra) = columns.get_mut(rules.extra)
            && extra.null_count() < extra.len()
        {
            *extra = rules.going.taken_from(extra)?;
        }
        decoded.batch = Some(RecordBatch::try_new(batch.schema(), columns)?);
        Ok(())
    }

    fn column(&mut self, position: usize, rule: &Rule, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match rule {
            Rule::Drop => self.nulls(array),
            Rule::Entries(rules) => rules.applied_to(array),
            Rule::Texts(treatment) => {
                let known = self.known.entry(position).or_default();
                let Some(map) = array.as_map_opt() else { return treated(array, treatment, known) };
                let lists =
                    map.values().as_list_opt::<i32>().ok_or_else(|| no_text(map.values().data_type()))?;
                let items = treated(lists.values(), treatment, known)?;
                with_values(map, with_items(lists, items)?)
            }
        }
    }

    /// As many nulls as the array has values. A dictionary is always the same empty one.
    fn nulls(&self, array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        if array.as_dictionary_opt::<Int32Type>().is_none() {
            return Ok(new_null_array(array.data_type(), array.len()));
        }
        let keys = Int32Array::new_null(array.len());
        Ok(Arc::new(DictionaryArray::try_new(keys, Arc::clone(&self.no_texts) as ArrayRef)?))
    }
}

impl Rules {
    /// A member's path as drift may tell it.
    fn nameless(&self, member: String) -> String {
        let map = self.nameless.iter().find(|map| member.starts_with(map.as_str()));
        map.map(|map| format!("{map}*")).unwrap_or(member)
    }
}

#[cfg(test)]
mod tests;
