//! Reading a line front to back with the index of its quotes: what the fast path needs, and nothing that it would have to
//! judge.

use crate::json::number;
use crate::json::quotes::QuoteIndex;
use crate::json::syntax::{literal_end, skip_space, string_end};

/// Values that are passed over may nest this deep; deeper ones are counted by the slow path.
const SKIPPED_DEPTH: usize = 32;

/// The line is not of the usual form; the slow path decides what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Odd;

/// The body of a string, between its quotes: its place in the lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct StringBody {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

impl StringBody {
    /// The place of a string without escapes.
    #[inline]
    pub(super) fn plain(self) -> Result<(usize, usize), Odd> {
        if self.has_escapes { Err(Odd) } else { Ok((self.start, self.end)) }
    }
}

/// A position in some lines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    /// The lines that `quotes` is the index of.
    pub(super) text: &'a [u8],
    quotes: &'a QuoteIndex,
    pub(super) at: usize,
    /// The first entry of the index that was not taken yet.
    pub(super) quote: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8], quotes: &'a QuoteIndex, at: usize, quote: usize) -> Self {
        Self { text, quotes, at, quote }
    }

    /// The number of the first quote from `position` on.
    pub(super) fn first_quote_from(&self, position: usize) -> usize {
        self.quotes.first_from(self.quote, position)
    }

    /// The next byte that is not white space, not yet taken. It may belong to a later line: a line that needs such a byte
    /// does not end where it should, which [`Self::expect_end`] notices.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<u8, Odd> {
        match self.text.get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    #[cold]
    fn peek_behind_space(&mut self) -> Result<u8, Odd> {
        self.at = skip_space(self.text, self.at);
        self.text.get(self.at).copied().ok_or(Odd)
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

    /// Nothing but white space may be left of a line that ends at `end`.
    #[inline]
    pub(super) fn expect_end(&self, end: usize) -> Result<(), Odd> {
        if self.at == end || (self.at < end && skip_space(self.text, self.at) >= end) {
            Ok(())
        } else {
            Err(Odd)
        }
    }

    /// Takes a string.
    #[inline]
    pub(super) fn string(&mut self) -> Result<StringBody, Odd> {
        let string = self.quotes.string(self.quote);
        if string.open != self.at {
            self.peek()?;
            if string.open != self.at {
                return Err(Odd);
            }
        }
        if string.close >= self.text.len() {
            // The last quote opens a string that nothing closes.
            return Err(Odd);
        }
        self.quote += 2;
        self.at = string.close + 1;
        Ok(StringBody { start: string.open + 1, end: string.close, has_escapes: string.is_special })
    }

    /// Takes a member's name and the colon behind it.
    #[inline]
    pub(super) fn name(&mut self) -> Result<(usize, usize), Odd> {
        let name = self.string()?.plain()?;
        self.expect(b':')?;
        Ok(name)
    }

    /// Takes a number; its double.
    #[inline]
    pub(super) fn number(&mut self) -> Result<f64, Odd> {
        self.peek()?;
        let (value, end) = number::read(self.text, self.at).ok_or(Odd)?;
        self.at = end;
        Ok(value)
    }

    /// Takes a value of any kind, nothing of which is wanted. What it takes is valid JSON.
    pub(super) fn skip_value(&mut self) -> Result<(), Odd> {
        self.skip_nested(SKIPPED_DEPTH)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<(), Odd> {
        match self.peek()? {
            b'"' => return self.skip_string(),
            b'{' | b'[' if depth == 0 => return Err(Odd),
            b'{' => {
                self.at += 1;
                let mut more = !self.take(b'}')?;
                while more {
                    self.skip_string()?;
                    self.expect(b':')?;
                    self.skip_nested(depth - 1)?;
                    more = self.another(b'}')?;
                }
            }
            b'[' => {
                self.at += 1;
                let mut more = !self.take(b']')?;
                while more {
                    self.skip_nested(depth - 1)?;
                    more = self.another(b']')?;
                }
            }
            b'-' | b'0'..=b'9' => self.at = number::number_end(self.text, self.at).ok_or(Odd)?,
            b't' => self.skip_literal(b"true")?,
            b'f' => self.skip_literal(b"false")?,
            b'n' => self.skip_literal(b"null")?,
            _ => return Err(Odd),
        }
        Ok(())
    }

    fn skip_literal(&mut self, literal: &[u8]) -> Result<(), Odd> {
        self.at = literal_end(self.text, self.at, literal).map_err(|_| Odd)?;
        Ok(())
    }

    /// Takes a string whose escapes need not mean anything, as long as there are such escapes.
    #[inline]
    fn skip_string(&mut self) -> Result<(), Odd> {
        let body = self.string()?;
        let is_valid =
            !body.has_escapes || string_end(self.text, body.start - 1).is_ok_and(|end| end == body.end + 1);
        if is_valid { Ok(()) } else { Err(Odd) }
    }

    /// After a member or an item: whether another follows. Takes the comma, or `close`.
    #[inline]
    pub(super) fn another(&mut self, close: u8) -> Result<bool, Odd> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == b',' {
            Ok(true)
        } else if byte == close {
            Ok(false)
        } else {
            Err(Odd)
        }
    }
}
