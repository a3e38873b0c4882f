//! From WebAssembly to machine code.
//!
//! The same child tells what a file is (`describe`).
//!
//! Compiling happens in a child process by default: a process that has compiled stays 4 MiB larger
//! for life, and a compiler fed with strangers' code is better kept apart. The child gets one line
//! of JSON on its standard input, answers with one line on its standard output, and ends as soon as
//! its standard input does: so it never outlives whoever asked. Before it reads a byte of the image it
//! gives up all that compiling does not take ([`Confinement`]).
//!
//! A large image has code at first that is made quickly (`quick`), and better code later (`improve`).
//!
//! Without the feature `compiler` this process contains none: [`Compiler`] says where one is.

mod cancel;
mod child;
#[cfg(feature = "compiler")]
mod code;
mod compiler;
#[cfg(feature = "compiler")]
mod confine;
mod confinement;
#[cfg(feature = "compiler")]
mod describe;
mod description;
mod improve;
#[cfg(feature = "compiler")]
mod quick;
mod request;

pub(crate) use cancel::Cancel;
#[cfg(feature = "compiler")]
pub use code::compile_child;
pub use compiler::{Compiler, DescribeError};
pub use confinement::Confinement;
pub use description::{Description, Item};
pub(crate) use request::{CompileError, Compiled, Improvement, MOST_IMAGE_BYTES, Request};
