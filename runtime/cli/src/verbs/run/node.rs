//! What the machine is to its Pods, as it is said on the command line.

use wasmpod::manifest::quantity::Quantity;
use wasmpod_node::Settings;
use wasmpod_node::pressure::{self, Policy};

use crate::args::{Eviction, NodeOptions};

/// A part of the machine's CPU, in thousandths of a core.
///
/// # Errors
/// What is wrong with it, and what would be right.
pub(crate) fn milli_cpu(text: &str) -> Result<u64, String> {
    let amount = amount(text, "`4` or `1500m`")?;
    u64::try_from(amount.milli_ceil()).map_err(|error| error.to_string())
}

/// A part of the machine's memory, in bytes.
///
/// # Errors
/// As of [`milli_cpu`].
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    Ok(amount(text, "`512Mi` or `8Gi`")?.bytes())
}

fn amount(text: &str, such_as: &str) -> Result<Quantity, String> {
    let amount: Quantity =
        text.parse().map_err(|error| format!("{error}; write an amount such as {such_as}"))?;
    if amount.is_zero() || amount.is_negative() {
        return Err(format!("must be more than 0, such as {such_as}"));
    }
    Ok(amount)
}

pub(crate) fn settings(options: &NodeOptions) -> Settings {
    Settings { milli_cpu: options.node_cpu, memory: options.node_memory }
}

pub(crate) fn eviction(options: &NodeOptions) -> pressure::Settings {
    let policy = match options.eviction {
        Eviction::Container => Policy::Container,
        Eviction::Pod => Policy::Pod,
    };
    pressure::Settings { hard: options.eviction_hard, policy }
}
