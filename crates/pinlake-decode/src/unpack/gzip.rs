//! Gzip (RFC 1952) as a stream: members one after the other, each checked.
//!
//! The framing is ours because the verdict matters: flate2's readers do not check a header's CRC and do not tell zero
//! padding from garbage. The deflate stream inside is zlib-rs's work.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Crc;

use super::block::{Block, Cutter};
use super::{UnpackError, UnpackLimits};

/// The first byte of a member.
pub(super) const FIRST_BYTE: u8 = 0x1f;

const TRAILER_BYTES: usize = 8;
/// A header holds a file name and a comment of any length; nobody writes one of more than a mebibyte.
const MAX_HEADER_BYTES: usize = 1024 * 1024;

/// Most headers are shorter.
const HEADER_STEP_BYTES: usize = 64;

const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const FLAGS_RESERVED: u8 = 0xe0;

/// How a header reads so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// It is this long.
    Complete(usize),
    /// More bytes are needed to tell.
    Incomplete,
    /// It does not begin like gzip.
    NotGzip,
    /// It is no valid header.
    Bad(&'static str),
}

/// Reads the header that `bytes` begins with.
pub(super) fn read_header(bytes: &[u8]) -> Header {
    let magic = [FIRST_BYTE, 0x8b, 8];
    let known = bytes.len().min(magic.len());
    if bytes[..known] != magic[..known] {
        return Header::NotGzip;
    }
    let Some(&flags) = bytes.get(3) else { return Header::Incomplete };
    if flags & FLAGS_RESERVED != 0 {
        return Header::Bad("reserved flags are set");
    }
    match header_length(bytes, flags) {
        None if bytes.len() > MAX_HEADER_BYTES => Header::Bad("the header has no end within a mebibyte"),
        None => Header::Incomplete,
        Some(length) if flags & FLAG_HEADER_CRC == 0 => Header::Complete(length),
        Some(length) => match bytes.get(length..length + 2) {
            None => Header::Incomplete,
            Some(stated) if stated == &libdeflater::crc32(&bytes[..length]).to_le_bytes()[..2] => {
                Header::Complete(length + 2)
            }
            Some(_) => Header::Bad("the header's CRC-16 is wrong"),
        },
    }
}

/// Length of a header up to its CRC; `None` where `bytes` ends before.
fn header_length(bytes: &[u8], flags: u8) -> Option<usize> {
    let mut at = 10;
    if flags & FLAG_EXTRA != 0 {
        let length = bytes.get(at..at + 2)?;
        at += 2 + usize::from(u16::from_le_bytes([length[0], length[1]]));
    }
    for flag in [FLAG_NAME, FLAG_COMMENT] {
        if flags & flag != 0 {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
    }
    (bytes.len() >= at).then_some(at)
}

#[derive(Debug)]
enum State {
    /// Collecting a header.
    Header,
    Body,
    Trailer,
    /// Behind a member's trailer.
    Between,
    /// Zeros behind the last member.
    Padding,
}

/// The state of unpacking one piece.
pub(super) struct GzipStream {
    state: State,
    /// A header or trailer being collected.
    pending: Vec<u8>,
    inflate: Decompress,
    crc: Crc,
    /// Bytes of the open member, modulo 2^32 as its trailer counts them.
    member_bytes: u32,
    /// The open member, or the one closed last, from 1.
    member: u64,
    /// Where the open member begins, or the garbage.
    member_offset: u64,
    /// Bytes taken so far.
    taken: u64,
    /// Bytes of all members so far.
    inflated: u64,
    limits: UnpackLimits,
}

impl fmt::Debug for GzipStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GzipStream")
            .field("state", &self.state)
            .field("member", &self.member)
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

impl GzipStream {
    pub(super) fn new(limits: UnpackLimits) -> Self {
        Self {
            state: State::Header,
            pending: Vec::new(),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            member_bytes: 0,
            member: 1,
            member_offset: 0,
            taken: 0,
            inflated: 0,
            limits,
        }
    }

    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        cutter: &mut Cutter,
        sink: &mut dyn FnMut(Block),
    ) -> Result<(), UnpackError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let used = match self.state {
                State::Header => self.take_header(rest)?,
                State::Body => self.take_body(rest, cutter, sink)?,
                State::Trailer => self.take_trailer(rest)?,
                State::Between => self.begin_next(rest[0]),
                State::Padding => self.take_padding(rest)?,
            };
            rest = &rest[used..];
            self.taken += used as u64;
        }
        Ok(())
    }

    fn take_header(&mut self, bytes: &[u8]) -> Result<usize, UnpackError> {
        // As much as is held, so that long headers take time in proportion; and no more, or each of many short members would copy all
        // that follows it.
        let held = self.pending.len();
        let bytes = &bytes[..bytes.len().min(held.max(HEADER_STEP_BYTES))];
        self.pending.extend_from_slice(bytes);
        match read_header(&self.pending) {
            Header::Complete(length) => {
                self.pending.clear();
                self.state = State::Body;
                Ok(length - held)
            }
            Header::Incomplete => Ok(bytes.len()),
            Header::NotGzip if self.member == 1 => Err(UnpackError::NotGzip),
            Header::NotGzip => {
                Err(UnpackError::TrailingGarbage { member: self.member - 1, offset: self.member_offset })
            }
            Header::Bad(problem) => {
                Err(UnpackError::BadHeader { member: self.member, offset: self.member_offset, problem })
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a trailer counts modulo 2^32; a chunk's length fits usize"
    )]
    fn take_body(
        &mut self,
        bytes: &[u8],
        cutter: &mut Cutter,
        sink: &mut dyn FnMut(Block),
    ) -> Result<usize, UnpackError> {
        let (read_before, written_before) = (self.inflate.total_in(), self.inflate.total_out());
        let room = cutter.room();
        let status = self.inflate.decompress(bytes, room, FlushDecompress::None);
        let used = (self.inflate.total_in() - read_before) as usize;
        let written = (self.inflate.total_out() - written_before) as usize;
        let damaged = UnpackError::Damaged { member: self.member, offset: self.taken + used as u64 };
        let status = status.map_err(|_| damaged.clone())?;
        self.crc.update(&room[..written]);
        self.member_bytes = self.member_bytes.wrapping_add(written as u32);
        self.inflated += written as u64;
        self.limits.check(self.taken + used as u64, self.inflated)?;
        cutter.advance(written, sink);
        if status == Status::StreamEnd {
            self.state = State::Trailer;
        } else if used == 0 && written == 0 {
            // Input and room were there, yet nothing moved: no sound stream does that.
            return Err(damaged);
        }
        Ok(used)
    }

    fn take_trailer(&mut self, bytes: &[u8]) -> Result<usize, UnpackError> {
        let used = bytes.len().min(TRAILER_BYTES - self.pending.len());
        self.pending.extend_from_slice(&bytes[..used]);
        if let Some((stated_crc, stated_length)) = read_trailer(&self.pending) {
            let offset = self.taken + used as u64;
            let member = self.member;
            let actual = self.crc.sum();
            if actual != stated_crc {
                return Err(UnpackError::WrongCrc { member, offset, actual, stated: stated_crc });
            }
            if self.member_bytes != stated_length {
                let actual = self.member_bytes;
                return Err(UnpackError::WrongLength { member, offset, actual, stated: stated_length });
            }
            self.pending.clear();
            self.state = State::Between;
        }
        Ok(used)
    }

    /// Looks at the byte behind a member without taking it.
    fn begin_next(&mut self, byte: u8) -> usize {
        self.member_offset = self.taken;
        if byte == 0 {
            self.state = State::Padding;
        } else {
            self.state = State::Header;
            self.member += 1;
            self.inflate.reset(false);
            self.crc = Crc::new();
            self.member_bytes = 0;
        }
        0
    }

    fn take_padding(&self, bytes: &[u8]) -> Result<usize, UnpackError> {
        match bytes.iter().position(|&byte| byte != 0) {
            None => Ok(bytes.len()),
            Some(at) => {
                Err(UnpackError::TrailingGarbage { member: self.member, offset: self.taken + at as u64 })
            }
        }
    }

    /// The piece has ended.
    pub(super) fn finish(&mut self) -> Result<(), UnpackError> {
        match self.state {
            State::Between | State::Padding => Ok(()),
            _ => Err(UnpackError::CutShort { member: self.member, offset: self.taken }),
        }
    }
}

/// CRC-32 and length that a member's last eight bytes state.
pub(super) fn read_trailer(bytes: &[u8]) -> Option<(u32, u32)> {
    let bytes: [u8; TRAILER_BYTES] = bytes.try_into().ok()?;
    let [c0, c1, c2, c3, l0, l1, l2, l3] = bytes;
    Some((u32::from_le_bytes([c0, c1, c2, c3]), u32::from_le_bytes([l0, l1, l2, l3])))
}
