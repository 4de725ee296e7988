//! Whether a line is valid JSON, and where it is not.
//!
//! This is the judge of the slow path: the fast path never rejects a line itself.

use super::number::number_end;
use super::text::{code_unit, plain_end};

/// The deepest nesting of arrays and objects that is accepted; one level more makes a line a reject.
pub(crate) const MAX_DEPTH: usize = 128;

/// What is wrong, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) problem: &'static str,
    /// Position from 0.
    pub(crate) byte: usize,
}

/// What a value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueKind {
    String,
    Number,
    Boolean,
    Null,
    Array,
    Object,
}

impl ValueKind {
    /// The kind of a valid value, from the first byte of its text.
    pub(crate) fn of(first: u8) -> Self {
        match first {
            b'"' => Self::String,
            b't' | b'f' => Self::Boolean,
            b'n' => Self::Null,
            b'[' => Self::Array,
            b'{' => Self::Object,
            _ => Self::Number,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Null => "null",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Checks that `line` is one JSON value with nothing but white space around it, and tells its kind.
pub(crate) fn check(line: &[u8]) -> Result<ValueKind, SyntaxError> {
    let start = skip_space(line, 0);
    let end = skip_space(line, value_end(line, start, 0)?);
    if end < line.len() {
        return Err(SyntaxError { problem: "text after the value", byte: end });
    }
    Ok(ValueKind::of(line[start]))
}

/// The first position from `at` on that holds no white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

/// Where the value that begins at `at` ends; an error where it is not valid.
fn value_end(bytes: &[u8], at: usize, depth: usize) -> Result<usize, SyntaxError> {
    match bytes.get(at) {
        None => Err(SyntaxError { problem: "the line ends where a value is due", byte: at }),
        Some(b'"') => string_end(bytes, at),
        Some(b'{') => object_end(bytes, at, deeper(depth, at)?),
        Some(b'[') => array_end(bytes, at, deeper(depth, at)?),
        Some(b't') => literal_end(bytes, at, b"true"),
        Some(b'f') => literal_end(bytes, at, b"false"),
        Some(b'n') => literal_end(bytes, at, b"null"),
        Some(b'-' | b'0'..=b'9') => {
            number_end(bytes, at).ok_or(SyntaxError { problem: "a malformed number", byte: at })
        }
        Some(_) => Err(SyntaxError { problem: "no value begins like this", byte: at }),
    }
}

fn deeper(depth: usize, at: usize) -> Result<usize, SyntaxError> {
    if depth >= MAX_DEPTH {
        return Err(SyntaxError { problem: "nesting deeper than 128", byte: at });
    }
    Ok(depth + 1)
}

/// Where `literal` ends, which must stand at `at`.
pub(crate) fn literal_end(bytes: &[u8], at: usize, literal: &[u8]) -> Result<usize, SyntaxError> {
    if bytes[at..].starts_with(literal) {
        Ok(at + literal.len())
    } else {
        Err(SyntaxError { problem: "no value begins like this", byte: at })
    }
}

/// Where the string whose opening quote is at `quote` ends.
pub(crate) fn string_end(bytes: &[u8], quote: usize) -> Result<usize, SyntaxError> {
    let mut at = quote + 1;
    loop {
        at = plain_end(bytes, at);
        match bytes.get(at) {
            None => return Err(SyntaxError { problem: "a string without an end", byte: quote }),
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape_end(bytes, at)?,
            Some(_) => return Err(SyntaxError { problem: "a control character in a string", byte: at }),
        }
    }
}

fn escape_end(bytes: &[u8], backslash: usize) -> Result<usize, SyntaxError> {
    match bytes.get(backslash + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(backslash + 2),
        Some(b'u') if code_unit(&bytes[backslash + 2..]).is_some() => Ok(backslash + 6),
        _ => Err(SyntaxError { problem: "no such escape", byte: backslash }),
    }
}

fn array_end(bytes: &[u8], bracket: usize, depth: usize) -> Result<usize, SyntaxError> {
    let mut at = skip_space(bytes, bracket + 1);
    if bytes.get(at) == Some(&b']') {
        return Ok(at + 1);
    }
    loop {
        at = skip_space(bytes, value_end(bytes, at, depth)?);
        match bytes.get(at) {
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b']') => return Ok(at + 1),
            _ => return Err(SyntaxError { problem: "no comma or bracket after an item", byte: at }),
        }
    }
}

fn object_end(bytes: &[u8], brace: usize, depth: usize) -> Result<usize, SyntaxError> {
    let mut at = skip_space(bytes, brace + 1);
    if bytes.get(at) == Some(&b'}') {
        return Ok(at + 1);
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return Err(SyntaxError { problem: "no member name where one is due", byte: at });
        }
        at = skip_space(bytes, string_end(bytes, at)?);
        if bytes.get(at) != Some(&b':') {
            return Err(SyntaxError { problem: "no colon after a member name", byte: at });
        }
        at = skip_space(bytes, value_end(bytes, skip_space(bytes, at + 1), depth)?);
        match bytes.get(at) {
            Some(b',') => at = skip_space(bytes, at + 1),
            Some(b'}') => return Ok(at + 1),
            _ => return Err(SyntaxError { problem: "no comma or brace after a member", byte: at }),
        }
    }
}

/// Where the value that begins at `at` of a line already checked ends.
pub(crate) fn checked_value_end(bytes: &[u8], at: usize) -> usize {
    // The line was checked whole, so there is no error to meet; its end is the answer that keeps a caller in bounds.
    value_end(bytes, at, 0).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded_at_the_stated_depth() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check(nested(MAX_DEPTH).as_bytes()), Ok(ValueKind::Array));
        assert_eq!(
            check(nested(MAX_DEPTH + 1).as_bytes()),
            Err(SyntaxError { problem: "nesting deeper than 128", byte: MAX_DEPTH })
        );
    }

    #[test]
    fn errors_name_the_byte() {
        for (line, byte) in [
            (r#"{"a":1,}"#, 7),
            (r#"{"a" 1}"#, 5),
            (r#"{"a":"#, 5),
            (r#"{"a":tru}"#, 5),
            (r#"{"a":"x"#, 5),
            (r#"{"a":"\q"}"#, 6),
            (r"{} {}", 3),
            ("", 0),
            (r#"{"a":01}"#, 6),
        ] {
            assert_eq!(check(line.as_bytes()).unwrap_err().byte, byte, "{line}");
        }
    }
}
