//! Where endpoints are: slots by id, by user and by address, and the names of attributes in use.
//!
//! Names are kept as 128-bit digests, so that an entry has some 50 bytes whatever it is called. Two names of one digest
//! are not to be expected in this world. Ids are the same in either case, as Pinpoint has it.

use std::collections::{HashMap, HashSet};

use md5::{Digest, Md5};

use crate::model::EndpointResponse;

/// The digest of a name.
type Key = u128;

/// What an endpoint is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    id: Key,
    user: Option<Key>,
    address: Option<Key>,
}

impl Keys {
    /// The keys of an endpoint; without an id it has none.
    pub(super) fn of(endpoint: &EndpointResponse) -> Option<Self> {
        Some(Keys {
            id: id_key(endpoint.id.as_deref()?),
            user: endpoint.user_id().map(user_key),
            address: address_key(endpoint),
        })
    }

    /// The digest of its id.
    pub(super) fn id(&self) -> Key {
        self.id
    }
}

/// The digest of an endpoint's id, whose case does not matter.
pub(super) fn id_key(id: &str) -> Key {
    digest(&[id.to_lowercase().as_bytes()])
}

/// The digest of a user's id.
pub(super) fn user_key(user_id: &str) -> Key {
    digest(&[user_id.as_bytes()])
}

/// The digest of an address on its channel: one number may be there for SMS and for VOICE.
fn address_key(endpoint: &EndpointResponse) -> Option<Key> {
    let channel = endpoint.channel_type.as_deref().unwrap_or_default();
    Some(digest(&[channel.as_bytes(), b"\0", endpoint.address.as_deref()?.as_bytes()]))
}

fn digest(parts: &[&[u8]]) -> Key {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    Key::from_le_bytes(md5.finalize().into())
}

/// Slots of endpoints that share a user or an address: one, as a rule.
#[derive(Debug)]
enum Slots {
    One(u64),
    Several(Vec<u64>),
}

impl Slots {
    fn as_slice(&self) -> &[u64] {
        match self {
            Slots::One(slot) => std::slice::from_ref(slot),
            Slots::Several(slots) => slots,
        }
    }

    fn add(&mut self, slot: u64) {
        match self {
            Slots::One(first) => *self = Slots::Several(vec![*first, slot]),
            Slots::Several(slots) => slots.push(slot),
        }
    }

    /// Takes a slot out; whether none is left.
    fn remove(&mut self, slot: u64) -> bool {
        match self {
            Slots::One(only) => *only == slot,
            Slots::Several(slots) => {
                slots.retain(|kept| *kept != slot);
                slots.is_empty()
            }
        }
    }
}

/// Where the endpoints of one application are.
#[derive(Debug, Default)]
pub(super) struct Directory {
    by_id: HashMap<Key, u64>,
    by_user: HashMap<Key, Slots>,
    by_address: HashMap<Key, Slots>,
    attribute_names: HashSet<String>,
    end: u64,
}

impl Directory {
    /// The slot of an endpoint.
    pub(super) fn slot(&self, id: Key) -> Option<u64> {
        self.by_id.get(&id).copied()
    }

    /// A user's endpoints, in order of slots.
    pub(super) fn of_user(&self, user: Key) -> Vec<u64> {
        sorted(self.by_user.get(&user))
    }

    /// Other endpoints of the same address.
    pub(super) fn of_address(&self, keys: &Keys, but: u64) -> Vec<u64> {
        let mut slots = sorted(keys.address.and_then(|address| self.by_address.get(&address)));
        slots.retain(|slot| *slot != but);
        slots
    }

    /// A slot that was never used.
    pub(super) fn next_slot(&mut self) -> u64 {
        self.end += 1;
        self.end - 1
    }

    /// Makes the slots before `end` used.
    pub(super) fn reserve(&mut self, end: u64) {
        self.end = self.end.max(end);
    }

    /// Brings a slot from the keys that it had to those that it has.
    pub(super) fn relink(&mut self, slot: u64, before: Option<Keys>, after: Option<Keys>) {
        if before == after {
            return;
        }
        if let Some(keys) = before {
            if self.by_id.get(&keys.id) == Some(&slot) {
                self.by_id.remove(&keys.id);
            }
            unlink(&mut self.by_user, keys.user, slot);
            unlink(&mut self.by_address, keys.address, slot);
        }
        if let Some(keys) = after {
            self.by_id.insert(keys.id, slot);
            link(&mut self.by_user, keys.user, slot);
            link(&mut self.by_address, keys.address, slot);
        }
    }

    /// How many names of attributes there would be with those of this endpoint.
    pub(super) fn names_with(&self, endpoint: &EndpointResponse) -> usize {
        let new: HashSet<String> =
            names(endpoint).filter(|name| !self.attribute_names.contains(name)).collect();
        self.attribute_names.len() + new.len()
    }

    /// Remembers names of attributes.
    pub(super) fn add_names(&mut self, names: impl IntoIterator<Item = String>) {
        self.attribute_names.extend(names);
    }

    /// Whether a name is in use already.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.attribute_names.contains(name)
    }
}

/// The names of an endpoint's attributes, metrics and user attributes, with the member that each stands in.
pub(super) fn names(endpoint: &EndpointResponse) -> impl Iterator<Item = String> {
    let attributes =
        endpoint.attributes.iter().flat_map(|lists| lists.keys()).map(|name| ("Attributes", name));
    let metrics = endpoint.metrics.iter().flat_map(|numbers| numbers.keys()).map(|name| ("Metrics", name));
    let user = endpoint.user.iter().filter_map(|user| user.user_attributes.as_ref());
    let user = user.flat_map(|lists| lists.keys()).map(|name| ("UserAttributes", name));
    attributes.chain(metrics).chain(user).map(|(member, name)| format!("{member}.{name}"))
}

fn sorted(slots: Option<&Slots>) -> Vec<u64> {
    let mut slots = slots.map(|slots| slots.as_slice().to_vec()).unwrap_or_default();
    slots.sort_unstable();
    slots
}

fn link(map: &mut HashMap<Key, Slots>, key: Option<Key>, slot: u64) {
    if let Some(key) = key {
        map.entry(key).and_modify(|slots| slots.add(slot)).or_insert(Slots::One(slot));
    }
}

fn unlink(map: &mut HashMap<Key, Slots>, key: Option<Key>, slot: u64) {
    let Some(key) = key else { return };
    if map.get_mut(&key).is_some_and(|slots| slots.remove(slot)) {
        map.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(id: &str, user: &str, address: &str) -> Option<Keys> {
        let json = format!(
            r#"{{"Id":"{id}","ChannelType":"SMS","Address":"{address}","User":{{"UserId":"{user}"}}}}"#
        );
        Keys::of(&serde_json::from_str(&json).ok()?)
    }

    #[test]
    fn endpoints_are_found_by_id_user_and_address() {
        let mut directory = Directory::default();
        let (first, second) = (directory.next_slot(), directory.next_slot());
        directory.relink(first, None, keys("A", "u", "1"));
        directory.relink(second, None, keys("b", "u", "1"));
        assert_eq!(directory.slot(id_key("a")), Some(first));
        assert_eq!(directory.of_user(user_key("u")), [first, second]);
        let second_keys = keys("b", "u", "1").expect("has an id");
        assert_eq!(directory.of_address(&second_keys, second), [first]);
        directory.relink(first, keys("A", "u", "1"), keys("A", "v", "2"));
        assert_eq!(directory.of_user(user_key("u")), [second]);
        assert_eq!(directory.of_user(user_key("v")), [first]);
        directory.relink(second, keys("b", "u", "1"), None);
        assert_eq!((directory.slot(id_key("a")), directory.slot(id_key("b"))), (Some(first), None));
        assert_eq!(directory.of_user(user_key("u")), [0; 0]);
        assert_eq!(directory.next_slot(), 2);
    }
}
