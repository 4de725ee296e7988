//! Reading a line front to back: what the fast path needs, and nothing that it would have to judge.

use crate::json::number::number_end;
use crate::json::syntax::skip_space;
use crate::json::text::plain_end;

/// The line is not of the usual form; the slow path decides what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd;

/// The body of a string, between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringBody<'a> {
    pub(super) raw: &'a [u8],
    pub(super) has_escapes: bool,
}

impl<'a> StringBody<'a> {
    /// The text of a string without escapes.
    #[inline]
    pub(super) fn plain(self) -> Result<&'a [u8], Odd> {
        if self.has_escapes { Err(Odd) } else { Ok(self.raw) }
    }
}

/// A position in a line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    /// The next byte that is not white space, not yet taken.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Odd> {
        match self.line.get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => {
                self.at = skip_space(self.line, self.at);
                self.line.get(self.at).copied().ok_or(Odd)
            }
        }
    }

    /// Takes `byte` if it comes next, white space aside.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Result<bool, Odd> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Odd> {
        if self.take(byte)? { Ok(()) } else { Err(Odd) }
    }

    /// Nothing but white space may be left.
    #[inline]
    pub(super) fn expect_end(&self) -> Result<(), Odd> {
        if skip_space(self.line, self.at) == self.line.len() { Ok(()) } else { Err(Odd) }
    }

    /// Takes a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<StringBody<'a>, Odd> {
        self.expect(b'"')?;
        let start = self.at;
        let mut has_escapes = false;
        let mut at = start;
        loop {
            at = plain_end(self.line, at);
            match self.line.get(at) {
                Some(b'"') => {
                    self.at = at + 1;
                    return Ok(StringBody { raw: &self.line[start..at], has_escapes });
                }
                Some(b'\\') => {
                    has_escapes = true;
                    at += 2;
                }
                _ => return Err(Odd),
            }
        }
    }

    /// Takes a member's name and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<&'a [u8], Odd> {
        let name = self.string()?.plain()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Takes a number.
    #[inline]
    pub(super) fn number(&mut self) -> Result<&'a [u8], Odd> {
        self.peek()?;
        let end = number_end(self.line, self.at).ok_or(Odd)?;
        let raw = &self.line[self.at..end];
        self.at = end;
        Ok(raw)
    }

    /// After a member or an item: whether another follows. Takes the comma, or `close`.
    #[inline]
    pub(super) fn another(&mut self, close: u8) -> Result<bool, Odd> {
        if self.take(b',')? {
            return Ok(true);
        }
        self.expect(close)?;
        Ok(false)
    }
}
