//! The amount itself: comparing, adding, rounding.

use std::cmp::Ordering;
use std::str::FromStr;

use super::parse::{self, QuantityError};

/// Billionths in one: quantities are exact to this.
pub(super) const NANOS: i128 = 1_000_000_000;
const NANOS_IN_MILLI: i128 = 1_000_000;

/// The family of suffixes that a quantity was written with, and is printed with again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// `n u m k M G T P E`, or no suffix.
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`.
    Binary,
    /// `e3`.
    Exponent,
}

/// An exact amount of a resource.
///
/// Quantities are equal, and ordered, by their amount: `1000m` equals `1`. What is too large to
/// hold (beyond 10^29) is held as the largest amount there is.
///
/// ```
/// use wasmpod_manifest::quantity::Quantity;
///
/// let memory: Quantity = "1.5Gi".parse()?;
/// assert_eq!(memory.bytes(), 1_610_612_736);
/// assert_eq!(memory.to_string(), "1536Mi");
/// let cpu: Quantity = "0.1".parse()?;
/// assert_eq!(cpu.milli_ceil(), 100);
/// assert!("1Gb".parse::<Quantity>().is_err());
/// # Ok::<(), wasmpod_manifest::quantity::QuantityError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    pub(super) nanos: i128,
    pub(super) family: Family,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, family: Family::Decimal };

    /// A whole number of units: cores, bytes, pieces.
    pub fn units(units: i64) -> Self {
        Self { nanos: i128::from(units) * NANOS, family: Family::Decimal }
    }

    /// A number of bytes, printed with binary suffixes.
    pub fn from_bytes(bytes: u64) -> Self {
        Self { nanos: i128::from(bytes) * NANOS, family: Family::Binary }
    }

    /// A number of thousandths, as CPU is counted.
    pub fn milli(milli: i64) -> Self {
        Self { nanos: i128::from(milli) * NANOS_IN_MILLI, family: Family::Decimal }
    }

    /// In thousandths, rounded up, capped at the bounds of the type.
    pub fn milli_ceil(self) -> i64 {
        narrow(ceil_div(self.nanos, NANOS_IN_MILLI))
    }

    /// In whole units, rounded up, capped at the bounds of the type.
    pub fn units_ceil(self) -> i64 {
        narrow(ceil_div(self.nanos, NANOS))
    }

    /// In whole units, rounded up; a negative amount is 0.
    pub fn bytes(self) -> u64 {
        u64::try_from(self.units_ceil()).unwrap_or(0)
    }

    /// The amount rounded up to whole thousandths: Kubernetes stores nothing finer.
    #[must_use]
    pub fn round_up_to_milli(self) -> Self {
        let nanos = ceil_div(self.nanos, NANOS_IN_MILLI).saturating_mul(NANOS_IN_MILLI);
        Self { nanos, ..self }
    }

    /// Whether the amount is 0.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whether the amount is below 0.
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether the amount is a whole multiple of `unit`; a unit of 0 divides nothing.
    pub fn is_multiple_of(self, unit: Self) -> bool {
        unit.nanos != 0 && self.nanos % unit.nanos == 0
    }

    /// How many times `divisor` fits, rounded up; a divisor of 0 counts as 1.
    pub fn div_ceil(self, divisor: Self) -> i64 {
        let divisor = if divisor.is_zero() { NANOS } else { divisor.nanos };
        narrow(ceil_div(self.nanos, divisor))
    }
}

impl std::ops::Add for Quantity {
    type Output = Self;

    /// The sum, in the family of the left one unless that is 0.
    fn add(self, other: Self) -> Self {
        let family = if self.is_zero() { other.family } else { self.family };
        // Never the least number of the type, which cannot be negated.
        let nanos = self.nanos.saturating_add(other.nanos).max(-i128::MAX);
        Self { nanos, family }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;

    /// Reads a quantity as Kubernetes does, blanks around it ignored.
    ///
    /// # Errors
    /// [`QuantityError`] with the text of apimachinery, and a guess at what was meant.
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text)
    }
}

/// Division that rounds towards positive infinity.
///
/// Only for a positive divisor, or one whose sign the caller means: `i128::MIN` never occurs
/// here, since amounts are capped at `±i128::MAX`.
fn ceil_div(dividend: i128, divisor: i128) -> i128 {
    let quotient = dividend / divisor;
    let inexact = dividend % divisor != 0;
    let positive = (dividend < 0) == (divisor < 0);
    if inexact && positive { quotient + 1 } else { quotient }
}

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}
