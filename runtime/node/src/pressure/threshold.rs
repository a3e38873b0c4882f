//! How little memory is too little. Pure.
//!
//! Rule: the kubelet's `--eviction-hard`, the signal `memory.available` of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use wasmpod::manifest::quantity::Quantity;

const SIGNAL: &str = "memory.available";

/// Below this somebody has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Threshold {
    /// So many bytes.
    Bytes(u64),
    /// So many thousandths of all memory.
    Thousandths(u16),
}

/// A threshold that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// No signal of ours with an amount.
    #[error("expected `{SIGNAL}<AMOUNT>`, such as `{SIGNAL}<100Mi` or `{SIGNAL}<5%`")]
    Form,
    /// The kubelet knows it, and here nobody looks.
    #[error("nobody watches `{0}` here; only `{SIGNAL}` is watched")]
    Signal(String),
    /// The amount is none.
    #[error("`{0}` is no amount of memory such as `100Mi`, and no share of it such as `5%`")]
    Amount(String),
}

impl Threshold {
    /// In bytes, where there are `capacity` in all.
    pub fn bytes(self, capacity: u64) -> u64 {
        match self {
            // On a machine of no more than that everybody would be too much at all times.
            Self::Bytes(bytes) => bytes.min(capacity / 4),
            Self::Thousandths(thousandths) => {
                let bytes = u128::from(capacity) * u128::from(thousandths) / 1000;
                u64::try_from(bytes).unwrap_or(u64::MAX)
            }
        }
    }
}

impl Default for Threshold {
    /// The kubelet's.
    fn default() -> Self {
        Self::Bytes(100 << 20)
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let (signal, amount) = text.split_once('<').ok_or(ThresholdError::Form)?;
        let (signal, amount) = (signal.trim(), amount.trim());
        if signal != SIGNAL {
            return Err(ThresholdError::Signal(signal.to_owned()));
        }
        let no_amount = || ThresholdError::Amount(amount.to_owned());
        let parse = |text: &str| -> Result<Quantity, ThresholdError> {
            let amount: Quantity = text.parse().map_err(|_| no_amount())?;
            if amount.is_negative() { Err(no_amount()) } else { Ok(amount) }
        };
        match amount.strip_suffix('%') {
            None => Ok(Self::Bytes(parse(amount)?.bytes())),
            Some(percent) => {
                let tenths = u16::try_from(parse(percent)?.milli_ceil() / 100);
                match tenths {
                    Ok(tenths) if tenths < 1000 => Ok(Self::Thousandths(tenths)),
                    Ok(_) | Err(_) => Err(no_amount()),
                }
            }
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(formatter, "{SIGNAL}<{}", Quantity::from_bytes(*bytes)),
            Self::Thousandths(thousandths) => {
                write!(formatter, "{SIGNAL}<{}%", f64::from(*thousandths) / 10.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_as_the_kubelet_reads_them() {
        for (text, expected) in [
            ("memory.available<100Mi", Threshold::Bytes(100 << 20)),
            (" memory.available < 1G ", Threshold::Bytes(1_000_000_000)),
            ("memory.available<5%", Threshold::Thousandths(50)),
            ("memory.available<7.5%", Threshold::Thousandths(75)),
            ("memory.available<0%", Threshold::Thousandths(0)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.to_string().parse(), Ok(expected), "{expected}");
        }
        assert_eq!(Threshold::Thousandths(75).bytes(512 << 20), 40_265_318);
        assert_eq!(Threshold::default().to_string(), "memory.available<100Mi");
    }

    #[test]
    fn others_say_what_would_be_right() {
        let error = |text: &str| text.parse::<Threshold>().unwrap_err().to_string();
        assert_eq!(
            error("100Mi"),
            "expected `memory.available<AMOUNT>`, such as `memory.available<100Mi` or \
             `memory.available<5%`"
        );
        assert!(error("nodefs.available<10%").starts_with("nobody watches `nodefs.available`"));
        for amount in ["", "100MB", "-1Mi", "100%", "-5%", "x%", "%"] {
            assert!(
                error(&format!("memory.available<{amount}")).starts_with(&format!("`{amount}`"))
            );
        }
    }
}
