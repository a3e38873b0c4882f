//! Amount to text, in canonical form: no fraction, the largest suffix that loses nothing.

use std::fmt;

use super::amount::{Family, NANOS, Quantity};

const DECIMAL: [(i32, &str); 10] = [
    (-9, "n"),
    (-6, "u"),
    (-3, "m"),
    (0, ""),
    (3, "k"),
    (6, "M"),
    (9, "G"),
    (12, "T"),
    (15, "P"),
    (18, "E"),
];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return formatter.write_str("0");
        }
        let binary = self.family == Family::Binary
            && self.nanos % NANOS == 0
            && self.nanos.abs() >= 1024 * NANOS;
        if binary {
            let (mantissa, power) = reduce(self.nanos / NANOS, 1024, BINARY.len() - 1);
            return write!(formatter, "{mantissa}{}", BINARY[power]);
        }
        let (mantissa, power) = reduce(self.nanos, 1000, DECIMAL.len() - 1);
        let (exponent, suffix) = DECIMAL[power];
        match self.family {
            Family::Exponent if exponent != 0 => write!(formatter, "{mantissa}e{exponent}"),
            Family::Exponent | Family::Decimal | Family::Binary => {
                write!(formatter, "{mantissa}{suffix}")
            }
        }
    }
}

/// Divides by `base` as often as nothing is lost, at most `most` times.
fn reduce(mut mantissa: i128, base: i128, most: usize) -> (i128, usize) {
    let mut power = 0;
    while power < most && mantissa % base == 0 {
        mantissa /= base;
        power += 1;
    }
    (mantissa, power)
}
