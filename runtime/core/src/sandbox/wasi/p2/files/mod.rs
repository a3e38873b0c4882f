//! Reads and writes of files, ours in place of the stock ones: what passes is counted.
//!
//! | | a stream's reads and writes |
//! |---|---|
//! | [`charged`] | are done by threads, as in wasmtime-wasi; the container pays for what is under way |
//! | [`in_place`] | are done when they return, for virtual time |

mod charged;
mod counted;
mod in_place;
mod shadow;

pub(crate) use charged::charged_file_streams;
pub(crate) use in_place::file_streams_in_place;
pub(crate) use shadow::FileTrafficView;
