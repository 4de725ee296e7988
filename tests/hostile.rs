//! Input that means harm, or looks as if it did: within memory, within time, and with an error that names the place.

mod files;
mod gzip;
mod lines;
mod memory;
mod parsers;
mod queries;
