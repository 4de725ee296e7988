//! Walking a structure of Thrift's compact protocol, the form of Parquet's footers, without building anything of it.
//!
//! Every length is held against the bytes that are left, so the walk is linear in the input, and bounded in depth.

/// How deep structures may lie in one another; footers have seven levels.
const MAX_DEPTH: usize = 24;

/// Hears what a walk comes by. A path is the ids of the fields that lead there; the elements of a list add none.
pub(super) trait Visitor {
    /// An integer.
    fn integer(&mut self, path: &[i16], value: i64) -> Result<(), String>;
    /// Bytes, such as a text.
    fn binary(&mut self, path: &[i16], value: &[u8]) -> Result<(), String>;
    /// A list of so many elements begins.
    fn list(&mut self, path: &[i16], size: usize) -> Result<(), String>;
    /// A structure, the root included, has ended.
    fn end(&mut self, path: &[i16]) -> Result<(), String>;
}

/// Walks the structure that `bytes` begin with.
///
/// # Errors
/// What is wrong with it, in words that follow "a footer that".
pub(super) fn walk(bytes: &[u8], visitor: &mut dyn Visitor) -> Result<(), String> {
    Walk { rest: bytes, path: Vec::new(), visitor }.structure(0)
}

struct Walk<'a> {
    rest: &'a [u8],
    path: Vec<i16>,
    visitor: &'a mut dyn Visitor,
}

/// The types of the protocol, as they stand in headers.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
}

impl<'a> Walk<'a> {
    fn structure(&mut self, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("is nested too deeply".to_owned());
        }
        let mut id: i16 = 0;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return self.visitor.end(&self.path);
            }
            id = match header >> 4 {
                0 => i16::try_from(self.integer()?)
                    .map_err(|_| "has a field of an impossible id".to_owned())?,
                step => id.checked_add(i16::from(step)).ok_or("has a field of an impossible id")?,
            };
            self.path.push(id);
            match header & 0x0f {
                // The value of a boolean field is its type.
                kind::TRUE | kind::FALSE => {}
                of => self.value(of, depth)?,
            }
            self.path.pop();
        }
    }

    fn value(&mut self, of: u8, depth: usize) -> Result<(), String> {
        match of {
            kind::TRUE | kind::FALSE | kind::BYTE => self.byte().map(drop),
            kind::I16 | kind::I32 | kind::I64 => {
                let value = self.integer()?;
                self.visitor.integer(&self.path, value)
            }
            kind::DOUBLE => self.take(8).map(drop),
            kind::BINARY => {
                let length = self.unsigned()?;
                let bytes = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                self.visitor.binary(&self.path, bytes)
            }
            kind::LIST | kind::SET => self.list(depth),
            kind::MAP => self.map(depth),
            kind::STRUCT => self.structure(depth + 1),
            other => Err(format!("has a value of the unknown type {other}")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<(), String> {
        let header = self.byte()?;
        let size = match header >> 4 {
            15 => self.unsigned()?,
            few => u64::from(few),
        };
        let size = self.held_against_the_rest(size)?;
        self.visitor.list(&self.path, size)?;
        for _ in 0..size {
            self.element(header & 0x0f, depth)?;
        }
        Ok(())
    }

    fn map(&mut self, depth: usize) -> Result<(), String> {
        let size = self.unsigned()?;
        let size = self.held_against_the_rest(size)?;
        if size == 0 {
            return Ok(());
        }
        let kinds = self.byte()?;
        for _ in 0..size {
            self.element(kinds >> 4, depth)?;
            self.element(kinds & 0x0f, depth)?;
        }
        Ok(())
    }

    /// Lists lie in lists without a field between them, so depth is counted here too.
    fn element(&mut self, of: u8, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("is nested too deeply".to_owned());
        }
        match of {
            kind::LIST | kind::SET => self.list(depth + 1),
            kind::MAP => self.map(depth + 1),
            of => self.value(of, depth),
        }
    }

    /// Every element takes a byte or more.
    fn held_against_the_rest(&self, size: u64) -> Result<usize, String> {
        match usize::try_from(size) {
            Ok(size) if size <= self.rest.len() => Ok(size),
            _ => Err(format!("claims a list of {size} elements in {} bytes", self.rest.len())),
        }
    }

    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or("ends too early")?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or("ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    /// Seven bits a byte, the lowest first.
    fn unsigned(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err("has a number that does not end".to_owned())
    }

    /// Signed ones alternate: 0, -1, 1, -2 …
    fn integer(&mut self) -> Result<i64, String> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}
