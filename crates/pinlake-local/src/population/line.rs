//! Writes a record as one line of an export: compact JSON, absent members left out, UTF-8 as it is.
//!
//! This is the hot half of `pinlake generate`: it appends to the caller's buffer and allocates nothing.

use chrono::{DateTime, Utc};

use super::digits;
use super::endpoint::Endpoint;
use super::sink::{Decimal, Millis, Sink};

/// Appends a record's JSON to a buffer.
pub(super) struct LineSink<'buffer> {
    line: &'buffer mut Vec<u8>,
    /// Whether the next member needs a comma before it.
    follows: bool,
}

impl<'buffer> LineSink<'buffer> {
    /// Begins a line.
    pub(super) fn new(line: &'buffer mut Vec<u8>) -> Self {
        line.push(b'{');
        LineSink { line, follows: false }
    }

    /// Ends the line, without a line feed.
    pub(super) fn finish(self) {
        self.line.push(b'}');
    }

    /// Writes `"name":`, with a comma before it where one is due.
    fn member(&mut self, name: &str) {
        if self.follows {
            self.line.push(b',');
        }
        self.follows = true;
        self.quoted(name);
        self.line.push(b':');
    }

    /// Writes a JSON text.
    fn quoted(&mut self, text: &str) {
        self.line.push(b'"');
        let bytes = text.as_bytes();
        if bytes.iter().any(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            for &byte in bytes {
                self.escaped(byte);
            }
        } else {
            self.line.extend_from_slice(bytes);
        }
        self.line.push(b'"');
    }

    /// Writes one byte of a JSON text.
    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' | b'\\' => self.line.extend_from_slice(&[b'\\', byte]),
            b'\n' => self.line.extend_from_slice(b"\\n"),
            b'\t' => self.line.extend_from_slice(b"\\t"),
            0..0x20 => {
                let hex = b"0123456789abcdef";
                let digits = [hex[usize::from(byte >> 4)], hex[usize::from(byte & 15)]];
                self.line.extend_from_slice(b"\\u00");
                self.line.extend_from_slice(&digits);
            }
            _ => self.line.push(byte),
        }
    }
}

impl Sink for LineSink<'_> {
    fn open(&mut self, member: &str, _into: impl FnOnce(&mut Endpoint)) {
        self.member(member);
        self.line.push(b'{');
        self.follows = false;
    }

    fn close(&mut self) {
        self.line.push(b'}');
        self.follows = true;
    }

    fn text(&mut self, member: &str, value: &str, _into: impl FnOnce(&mut Endpoint, String)) {
        self.member(member);
        self.quoted(value);
    }

    fn composed(
        &mut self,
        member: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        _into: impl FnOnce(&mut Endpoint, String),
    ) {
        self.member(member);
        self.line.push(b'"');
        compose(self.line);
        self.line.push(b'"');
    }

    fn number(&mut self, member: &str, value: Decimal, _into: impl FnOnce(&mut Endpoint, f64)) {
        self.member(member);
        digits::push_decimal(self.line, value.hundredths, value.bare);
    }

    fn date(&mut self, member: &str, value: Millis, _into: impl FnOnce(&mut Endpoint, DateTime<Utc>)) {
        self.member(member);
        self.line.push(b'"');
        digits::push_date(self.line, value);
        self.line.push(b'"');
    }

    fn list(
        &mut self,
        name: &str,
        values: &[&str],
        _into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    ) {
        self.member(name);
        self.line.push(b'[');
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                self.line.push(b',');
            }
            self.quoted(value);
        }
        self.line.push(b']');
    }

    fn composed_list(
        &mut self,
        name: &str,
        compose: impl FnOnce(&mut Vec<u8>),
        _into: impl FnOnce(&mut Endpoint, String, Vec<Option<String>>),
    ) {
        self.member(name);
        self.line.extend_from_slice(b"[\"");
        compose(self.line);
        self.line.extend_from_slice(b"\"]");
    }

    fn odd(&mut self, member_json: &str, _into: impl FnOnce(&mut Endpoint)) {
        if self.follows {
            self.line.push(b',');
        }
        self.follows = true;
        self.line.extend_from_slice(member_json.as_bytes());
    }
}
