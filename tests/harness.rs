//! What every test stands on: a room to work in, the program, a loopback world, and eyes of its own for lakes.
//!
//! The harness reads lakes by their Delta log and their Parquet files, not through pinlake, so that a fault of the program
//! cannot hide itself.

mod audience;
mod browser;
mod dice;
mod lake;
mod piece;
mod pinpoint;
mod program;
mod relay;
mod room;
mod shared;
#[cfg(unix)]
mod terminal;
mod world;

pub(crate) use audience::{alpha2, population, row_of, shown};
pub(crate) use browser::{Browser, Page};
pub(crate) use dice::Dice;
pub(crate) use lake::{LakeFolder, files_below, parquet_rows};
pub(crate) use piece::{gzip, lines_piece};
pub(crate) use program::{Pinlake, Ran, Running};
pub(crate) use relay::Relay;
pub(crate) use room::Room;
pub(crate) use shared::Shared;
#[cfg(unix)]
pub(crate) use terminal::Terminal;
pub(crate) use world::World;
