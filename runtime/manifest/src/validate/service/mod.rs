//! A Service.
//!
//! [`service`] has the rules for one by itself. [`Allocated`] says what the API server's
//! allocators would: whether an address or a port that is asked for can be had.

mod addresses;
mod allocated;
mod object;
mod ports;
#[cfg(test)]
mod tests;
mod traffic;

pub(crate) use allocated::Allocated;
pub(crate) use object::SOURCE_RANGES;
pub use object::service;
