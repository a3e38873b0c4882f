//! From text to commands: the grammar of POSIX's shell, and the few things of others that everybody
//! uses (`<<<`, `&>`, `;&`, `function`, `$'…'`).
//!
//! Pure. A script is read one complete command at a time, as it is run: what a command defines, an alias
//! above all, holds for those after it.

mod compound;
mod parser;
mod redirect;
mod simple;
mod substitute;
#[cfg(test)]
mod tests;
mod word;

pub(crate) use parser::{ParseError, Parser};
