//! What goes from `extra` with a column that is redacted.
//!
//! A value stands in `extra` because something about it was not as usual: its type, the spelling of its name, the place of the
//! member. So more goes than the column's own member: every member of that name, at any depth, whatever its case and whatever
//! stands between its words (`Address`, `ADDRESS`, `user_id` for `UserId`); and the object that the member belongs into, where that is
//! no object. Whichever way the column is redacted, here it is dropped.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, StringArray};
use arrow::error::ArrowError;
use pinlake_decode::extra::without;
use pinlake_decode::schema::member_of;

use super::values::no_text;

/// Names of what goes, all in their plain form.
#[derive(Debug, Default)]
pub(super) struct Going {
    /// Members that go.
    members: BTreeSet<String>,
    /// Members that go where they are no objects.
    parents: BTreeSet<String>,
    /// Of a map (`attributes`), the entries that go.
    entries: BTreeSet<(String, String)>,
}

impl Going {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.entries.is_empty()
    }

    /// Adds a column, or an entry of one.
    pub(super) fn add(&mut self, column: &str, entry: Option<&str>) {
        let Some((parent, member)) = member_of(column) else { return };
        if !parent.is_empty() {
            self.parents.insert(plain(parent));
        }
        match entry {
            None => {
                self.members.insert(plain(member));
            }
            Some(entry) => {
                self.parents.insert(plain(member));
                self.entries.insert((plain(member), plain(entry)));
            }
        }
    }

    /// `extra` without what goes.
    pub(super) fn taken_from(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let texts = column.as_string_opt::<i32>().ok_or_else(|| no_text(column.data_type()))?;
        let left =
            texts.iter().map(|extra| without(extra?, &mut |path, is_object| self.goes(path, is_object)));
        Ok(Arc::new(left.collect::<StringArray>()))
    }

    fn goes(&self, path: &[String], is_object: bool) -> bool {
        let Some((name, around)) = path.split_last() else { return false };
        let name = plain(name);
        if self.members.contains(&name) || !is_object && self.parents.contains(&name) {
            return true;
        }
        let is_entry = |(map, entry): &(String, String)| {
            *entry == name && around.iter().any(|outer| plain(outer) == *map)
        };
        self.entries.iter().any(is_entry)
    }
}

/// A name without what differs between spellings: case, and whatever is no letter or digit. A name of nothing else stays.
fn plain(name: &str) -> String {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if plain.is_empty() { name.to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(columns: &[(&str, Option<&str>)], extra: &str) -> Option<String> {
        let mut going = Going::default();
        for (column, entry) in columns {
            going.add(column, *entry);
        }
        let array: ArrayRef = Arc::new(StringArray::from(vec![extra]));
        let left = going.taken_from(&array).unwrap();
        left.as_string::<i32>().iter().next().flatten().map(str::to_owned)
    }

    #[test]
    fn a_member_goes_in_any_spelling_and_at_any_depth() {
        for extra in [
            r#"{"Address":{"x":1}}"#,
            r#"{"address":"x"}"#,
            r#"{"ADDRESS":["x"]}"#,
            r#"{"\u0041ddress":"x"}"#,
            r#"{"Contact":{"e":[{"_address":"x"}]}}"#,
        ] {
            let left = left(&[("address", None)], extra);
            assert!(left.is_none_or(|left| left == r#"{"Contact":{"e":[{}]}}"#), "{extra}");
        }
        let kept = r#"{"Addresses":1,"e-mail":"x"}"#;
        assert_eq!(left(&[("address", None)], kept).as_deref(), Some(kept));
        assert_eq!(
            left(&[("user_id", None)], r#"{"User":{"user-id":1,"k":2}}"#).as_deref(),
            Some(r#"{"User":{"k":2}}"#)
        );
    }

    #[test]
    fn a_parent_that_is_no_object_goes() {
        let city = [("city", None)];
        assert_eq!(left(&city, r#"{"Location":"Berlin"}"#), None);
        assert_eq!(left(&city, r#"{"location":["Berlin"],"Zip":1}"#).as_deref(), Some(r#"{"Zip":1}"#));
        assert_eq!(
            left(&city, r#"{"Location":{"Zip":1,"City":2}}"#).as_deref(),
            Some(r#"{"Location":{"Zip":1}}"#)
        );
        assert_eq!(left(&city, r#"{"User":"u"}"#).as_deref(), Some(r#"{"User":"u"}"#));
    }

    #[test]
    fn an_entry_goes_from_its_map_alone() {
        let entry = [("attributes", Some("Shoe Size"))];
        let extra =
            r#"{"Attributes":{"shoe_size":{},"k":{}},"UserAttributes":{"Shoe Size":{}},"Shoe Size":1}"#;
        let rest = r#"{"Attributes":{"k":{}},"UserAttributes":{"Shoe Size":{}},"Shoe Size":1}"#;
        assert_eq!(left(&entry, extra).as_deref(), Some(rest));
        assert_eq!(left(&entry, r#"{"Attributes":"x"}"#), None);
        assert_eq!(left(&[("user_attributes", Some("k"))], r#"{"User":"x"}"#), None);
        assert_eq!(left(&[("attributes", None)], r#"{"Attributes":{"k":{}}}"#), None);
    }
}
