//! Amounts of resources: `500m`, `1.5Gi`, `1e3`.
//!
//! A [`Quantity`] is exact to the billionth, never a float, and remembers which family of
//! suffixes it was written with. Rule: apimachinery's `resource.Quantity`, whose grammar,
//! rounding (up, away from zero), cap of binary amounts at 2^63-1 and canonical form hold here.

mod amount;
mod format;
mod parse;

pub use amount::Quantity;
pub use parse::QuantityError;

#[cfg(test)]
mod tests;
