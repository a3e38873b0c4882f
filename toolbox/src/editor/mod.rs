//! Editing a line at a terminal that gives each byte as it is typed.
//!
//! Pure but for [`read`]: keys go in ([`keys`]), the line changes ([`line`](mod@line)), and what has to be
//! written comes out ([`screen`]).

mod complete;
mod keys;
mod line;
mod screen;
mod session;

pub(crate) use complete::Completer;
pub(crate) use session::{Ended, read};
