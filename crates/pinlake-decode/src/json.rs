//! JSON at the level of bytes: where a string or number ends, what an escape means, whether a value is valid.
//!
//! Validity is RFC 8259's as `serde_json` has it, with two stated differences: nesting may be up to
//! [`syntax::MAX_DEPTH`] deep, and a lone surrogate escape or a number beyond a double is valid *syntax* whose value
//! does not fit (the decoder moves it to `extra`).

pub(crate) mod date;
pub(crate) mod number;
pub(crate) mod object;
pub(crate) mod quotes;
pub(crate) mod syntax;
pub(crate) mod text;
pub(crate) mod word;
