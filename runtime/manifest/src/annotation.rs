//! Annotations of our own: what no field of Kubernetes can say of a container, and how it is written.
//!
//! | annotation | of | value |
//! |---|---|---|
//! | `wasmpod.dev/memory-policy` | all, or one container | `deny`, `oomkill` |
//! | `wasmpod.dev/fuel` | all, or one | units of fuel, 1 or more |
//! | `wasmpod.dev/handles` | all, or one | 32 to 1000000 |
//! | `wasmpod.dev/sockets` | all, or one | 1 to 250000 |
//! | `wasmpod.dev/http-port` | one | 1 to 65535 |
//! | `wasmpod.dev/http-reuse` | one | requests, 1 or more |
//! | `wasmpod.dev/http-instances` | one | 1 to 984 |
//! | `wasmpod.dev/http-timeout` | one | `500ms`, `30s`, `5m`, `2h`, or `0` |
//! | `wasmpod.dev/shm-size` | the Pod | a quantity of bytes, `64Mi` |
//!
//! That of one container has its name at the end, behind a dot, and comes before that of all.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::ops::RangeInclusive;
use std::time::Duration;

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::containers;
use crate::field::{Errors, Place};
use crate::quantity::Quantity;

const PREFIX: &str = "wasmpod.dev/";

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub struct Grammar {
    /// Its name without prefix and container.
    pub name: &'static str,
    /// What the value is, for who wrote something else.
    pub expected: &'static str,
    accepts: fn(&str) -> bool,
    scope: Scope,
}

impl Grammar {
    /// Its name where it is of all containers, or of the Pod.
    pub fn whole_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// Its whole names, the one that counts last.
    pub fn names(&self, container: &str) -> impl Iterator<Item = String> + use<> {
        let of_all = self.whole_name();
        let of_one = format!("{of_all}.{container}");
        let of_all = (self.scope == Scope::Each).then_some(of_all);
        of_all.into_iter().chain([of_one])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All containers, or one.
    Each,
    /// One container, always.
    One,
    /// The Pod, whose containers share it.
    Pod,
}

/// Which of two things happens at a memory limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryPolicy {
    /// The growth is denied.
    Deny,
    /// The container ends.
    OomKill,
}

/// `wasmpod.dev/memory-policy`
pub const MEMORY_POLICY: Grammar = Grammar {
    name: "memory-policy",
    expected: "`deny` or `oomkill`",
    accepts: |text| memory_policy(text).is_some(),
    scope: Scope::Each,
};

/// `wasmpod.dev/fuel`
pub const FUEL: Grammar = Grammar {
    name: "fuel",
    expected: "a number of units of fuel, 1 or more",
    accepts: |text| fuel(text).is_some(),
    scope: Scope::Each,
};

/// `wasmpod.dev/handles`
pub const HANDLES: Grammar = Grammar {
    name: "handles",
    expected: "a number of handles, 32 to 1000000",
    accepts: |text| handles(text).is_some(),
    scope: Scope::Each,
};

/// `wasmpod.dev/sockets`
pub const SOCKETS: Grammar = Grammar {
    name: "sockets",
    expected: "a number of sockets, 1 to 250000",
    accepts: |text| sockets(text).is_some(),
    scope: Scope::Each,
};

/// `wasmpod.dev/http-port`
pub const HTTP_PORT: Grammar = Grammar {
    name: "http-port",
    expected: "a port, 1 to 65535",
    accepts: |text| port(text).is_some(),
    scope: Scope::One,
};

/// `wasmpod.dev/http-reuse`
pub const HTTP_REUSE: Grammar = Grammar {
    name: "http-reuse",
    expected: "a number of requests, 1 or more",
    accepts: |text| reuse(text).is_some(),
    scope: Scope::One,
};

/// `wasmpod.dev/http-instances`
pub const HTTP_INSTANCES: Grammar = Grammar {
    name: "http-instances",
    expected: "a number of instances, 1 to 984",
    accepts: |text| instances(text).is_some(),
    scope: Scope::One,
};

/// `wasmpod.dev/http-timeout`
pub const HTTP_TIMEOUT: Grammar = Grammar {
    name: "http-timeout",
    expected: "a duration such as 500ms, 30s, 5m or 2h, or 0 for none",
    accepts: |text| timeout(text).is_some(),
    scope: Scope::One,
};

/// `wasmpod.dev/shm-size`
pub const SHM_SIZE: Grammar = Grammar {
    name: "shm-size",
    expected: "a quantity of bytes such as 64Mi, not negative",
    accepts: |text| shm_size(text).is_some(),
    scope: Scope::Pod,
};

const ALL: [Grammar; 9] = [
    MEMORY_POLICY,
    FUEL,
    HANDLES,
    SOCKETS,
    HTTP_PORT,
    HTTP_REUSE,
    HTTP_INSTANCES,
    HTTP_TIMEOUT,
    SHM_SIZE,
];

/// The value of [`MEMORY_POLICY`].
pub fn memory_policy(text: &str) -> Option<MemoryPolicy> {
    match text {
        "deny" => Some(MemoryPolicy::Deny),
        "oomkill" => Some(MemoryPolicy::OomKill),
        _ => None,
    }
}

/// The value of [`FUEL`]. Digits alone: `+1` is none.
pub fn fuel(text: &str) -> Option<NonZeroU64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The value of [`HANDLES`].
pub fn handles(text: &str) -> Option<u32> {
    number(text, 32..=1_000_000)
}

/// The value of [`SOCKETS`].
pub fn sockets(text: &str) -> Option<u32> {
    number(text, 1..=250_000)
}

/// The value of [`HTTP_PORT`].
pub fn port(text: &str) -> Option<u16> {
    text.parse().ok().map(NonZeroU16::get)
}

/// The value of [`HTTP_REUSE`].
pub fn reuse(text: &str) -> Option<NonZeroU32> {
    text.parse().ok()
}

/// The value of [`HTTP_INSTANCES`].
pub fn instances(text: &str) -> Option<u32> {
    number(text, 1..=984)
}

/// The value of [`HTTP_TIMEOUT`]: `Some(None)` for zero, which is no limit.
pub fn timeout(text: &str) -> Option<Option<Duration>> {
    if text == "0" {
        return Some(None);
    }
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let milliseconds = number.checked_mul(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    })?;
    Some((milliseconds > 0).then(|| Duration::from_millis(milliseconds)))
}

/// The value of [`SHM_SIZE`].
pub fn shm_size(text: &str) -> Option<u64> {
    let quantity: Quantity = text.parse().ok()?;
    (quantity >= Quantity::ZERO).then(|| quantity.bytes())
}

fn number(text: &str, range: RangeInclusive<u32>) -> Option<u32> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// Checks those of a Pod. What is not listed above is left to whoever knows it.
pub(crate) fn check(metadata: &ObjectMeta, spec: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    for (key, value) in metadata.annotations.iter().flatten() {
        let Some(name) = key.strip_prefix(PREFIX) else { continue };
        let (name, container) = match name.split_once('.') {
            Some((name, container)) => (name, Some(container)),
            None => (name, None),
        };
        let Some(known) = ALL.iter().find(|known| known.name == name) else { continue };
        let at = at.key(key);
        match container {
            Some(container) if known.scope == Scope::Pod => {
                let detail = format!("is of the whole Pod: {PREFIX}{name}");
                errors.invalid(&at, container, detail);
            }
            Some(container) if !containers(spec).any(|other| other.name == container) => {
                errors.invalid(&at, container, "container not found");
            }
            None if known.scope == Scope::One => {
                let detail = format!("must name a container: {PREFIX}{name}.<container>");
                errors.invalid(&at, key.as_str(), detail);
            }
            _ => {}
        }
        if !(known.accepts)(value.trim()) {
            errors.invalid(&at, value.as_str(), format!("must be {}", known.expected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        let seconds = |seconds| Some(Some(Duration::from_secs(seconds)));
        for (text, expected) in [
            ("0", Some(None)),
            ("500ms", Some(Some(Duration::from_millis(500)))),
            ("30s", seconds(30)),
            ("5m", seconds(300)),
            ("2h", seconds(7200)),
            ("0s", Some(None)),
            ("30", None),
            ("5 minutes", None),
            ("18446744073709551615h", None),
            ("", None),
        ] {
            assert_eq!(timeout(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_are_within_their_range() {
        assert_eq!((handles("31"), handles("32"), handles("1000001")), (None, Some(32), None));
        assert_eq!((sockets("0"), sockets("250000"), sockets("-1")), (None, Some(250_000), None));
        assert_eq!(
            (instances("985"), instances("984"), instances("many")),
            (None, Some(984), None)
        );
        assert_eq!((port("0"), port("65536"), port("80")), (None, None, Some(80)));
        assert_eq!((reuse("0"), reuse("1")), (None, NonZeroU32::new(1)));
        assert_eq!(
            (shm_size("64Mi"), shm_size("0"), shm_size("-1")),
            (Some(64 << 20), Some(0), None)
        );
    }
}
