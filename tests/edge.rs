//! Where the program meets the network and other people's names: keys as hostile as S3 allows, runs that are killed, two runs at
//! once, and very many pieces.

mod keys;
mod many;
mod resume;
