//! What stands in `extra`, and the same without some of its members.
//!
//! `extra` is the raw JSON of what has no column or does not fit one, so whoever takes a column away must take away what went
//! to `extra` in its place. Which members these are, the caller says; here they are found, at any depth, in objects within
//! lists, and where a name is repeated, each of them. What stays is copied as it came.

use std::borrow::Cow;

use crate::json::object::{Member, Value};
use crate::json::syntax::{ValueKind, skip_space};

/// The object `extra` without the members that `goes` picks, and without the objects that are empty for it; `None` where nothing
/// is left. `goes` is asked for every member with the names of the members around it, its own last, and whether its value
/// is an object. `extra` must be an object as a decoder made it; where nothing goes it comes back as it is.
#[must_use]
pub fn without<'e>(extra: &'e str, goes: &mut dyn FnMut(&[String], bool) -> bool) -> Option<Cow<'e, str>> {
    let start = skip_space(extra.as_bytes(), 0);
    let root = Value { raw: extra.as_bytes()[start..].trim_ascii_end(), kind: ValueKind::Object };
    let mut filter = Filter { goes, path: Vec::new(), out: Vec::with_capacity(extra.len()), went: false };
    let is_left = filter.object(&root);
    if !filter.went {
        return Some(Cow::Borrowed(extra));
    }
    is_left.then(|| String::from_utf8(filter.out).ok().map(Cow::Owned)).flatten()
}

struct Filter<'f> {
    goes: &'f mut dyn FnMut(&[String], bool) -> bool,
    /// Names of the members around what is being copied.
    path: Vec<String>,
    out: Vec<u8>,
    /// Whether a member was left out.
    went: bool,
}

impl Filter<'_> {
    /// Copies an object; `false` where members were left out and none stayed.
    fn object(&mut self, object: &Value<'_>) -> bool {
        let (mut met, mut stayed) = (0, 0);
        self.out.push(b'{');
        for member in object.all_members() {
            met += 1;
            let start = self.out.len();
            if stayed > 0 {
                self.out.push(b',');
            }
            if self.member(&member) {
                stayed += 1;
            } else {
                self.went = true;
                self.out.truncate(start);
            }
        }
        self.out.push(b'}');
        stayed > 0 || met == 0
    }

    /// Copies a member; `false` where it goes.
    fn member(&mut self, member: &Member<'_>) -> bool {
        let name = member.name.as_deref().unwrap_or(member.raw_name);
        self.path.push(String::from_utf8_lossy(name).into_owned());
        let stays = !(self.goes)(&self.path, member.value.kind == ValueKind::Object) && {
            self.out.extend_from_slice(member.raw_name);
            self.out.push(b':');
            self.value(&member.value)
        };
        self.path.pop();
        stays
    }

    fn value(&mut self, value: &Value<'_>) -> bool {
        match value.kind {
            ValueKind::Object => return self.object(value),
            ValueKind::Array => {
                self.out.push(b'[');
                for (at, item) in value.items().iter().enumerate() {
                    if at > 0 {
                        self.out.push(b',');
                    }
                    // An item that is left empty keeps its place.
                    self.value(item);
                }
                self.out.push(b']');
            }
            _ => self.out.extend_from_slice(value.raw),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_names(extra: &str, names: &[&str]) -> Option<String> {
        let mut goes = |path: &[String], _| path.last().is_some_and(|name| names.contains(&name.as_str()));
        without(extra, &mut goes).map(Cow::into_owned)
    }

    #[test]
    fn members_go_at_any_depth_and_all_else_stays_as_it_came() {
        let extra = r#"{"a":1.50,"b":{"x":"\u0041","y":[{"x":1,"z":1e2},[ {"x":2} ],null]},"x":{"a":1}}"#;
        let left = without_names(extra, &["x"]).unwrap();
        assert_eq!(left, r#"{"a":1.50,"b":{"y":[{"z":1e2},[{}],null]}}"#);
        assert_eq!(without_names(extra, &[]).as_deref(), Some(extra));
    }

    #[test]
    fn an_object_that_is_left_empty_goes_and_one_that_was_empty_stays() {
        assert_eq!(without_names(r#"{"a":{"x":{"b":1}},"c":{}}"#, &["x"]).unwrap(), r#"{"c":{}}"#);
        assert_eq!(without_names(r#"{"a":{"x":1}}"#, &["x"]), None);
        assert_eq!(without_names("{}", &["x"]).as_deref(), Some("{}"));
    }

    #[test]
    fn a_name_that_is_escaped_or_repeated_is_found() {
        let extra = r#"{"a":{"\u0078":1,"x":2,"k":3},"a":{"x":4},"\ud800":5}"#;
        assert_eq!(without_names(extra, &["x"]).unwrap(), r#"{"a":{"k":3},"\ud800":5}"#);
    }

    #[test]
    fn the_names_around_a_member_are_told() {
        let mut paths = Vec::new();
        let left = without(r#"{"User":{"Tags":[{"x":1}]},"s":"t"}"#, &mut |path, is_object| {
            paths.push((path.join("."), is_object));
            false
        });
        assert!(left.is_some());
        let told: Vec<(&str, bool)> = paths.iter().map(|(path, is)| (path.as_str(), *is)).collect();
        assert_eq!(told, [("User", true), ("User.Tags", false), ("User.Tags.x", false), ("s", false)]);
    }
}
