//! Which host and engine a piece of machine code is for.

use crate::image::digest;
use crate::image::profile::{Metering, Reservation};

/// What distinguishes code that the same image has for different hosts and engines. That it is
/// right need not be proven here: wasmtime checks version, settings and CPU when it maps the file,
/// and a refused file is compiled again. It only keeps variants from displacing each other.
pub(super) fn key(reservation: Reservation, metering: Metering) -> String {
    let text = format!(
        "{} {} {reservation:?} {metering:?} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        cpu_features()
    );
    format!("{:016x}", digest::short(&text))
}

/// The extensions of this CPU that Cranelift makes use of.
fn cpu_features() -> String {
    let mut features = String::new();
    macro_rules! note {
        ($detected:ident: $($name:tt)*) => {
            $(if std::arch::$detected!($name) { features += $name; features.push(' '); })*
        };
    }
    #[cfg(target_arch = "x86_64")]
    note!(is_x86_feature_detected:
        "sse3" "ssse3" "sse4.1" "sse4.2" "popcnt" "avx" "avx2" "fma" "bmi1" "bmi2" "lzcnt"
        "avx512f" "avx512dq" "avx512vl" "avx512bitalg" "avx512vbmi");
    #[cfg(target_arch = "aarch64")]
    note!(is_aarch64_feature_detected: "lse" "paca" "fp16");
    features
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_process_and_differs_by_engine() {
        let whole = || key(Reservation::Whole, Metering::Epochs);
        assert_eq!(whole(), whole());
        assert_ne!(whole(), key(Reservation::Small, Metering::Epochs));
        assert_ne!(whole(), key(Reservation::Whole, Metering::Fuel));
    }
}
