//! From requests and limits to the figures of a cgroup. Pure.
//!
//! Rules: `MilliCPUToShares` and `MilliCPUToQuota` of the kubelet; the weight of version 2 as runc
//! (from 1.3.2) and crun (from 1.23) derive it from shares, which keeps the ratio between a core and the
//! default of 100; `GetContainerOOMScoreAdjust`.

use crate::resources::{PodResources, QosClass};

/// The period of a CPU quota, in microseconds.
pub const PERIOD: u64 = 100_000;

/// What a kernel accepts.
const LEAST_SHARES: u64 = 2;
const MOST_SHARES: u64 = 262_144;
const LEAST_QUOTA: u64 = 1_000;

/// Beyond the memory limits of its guests a Pod's process has itself to run: code, threads, the host's
/// side of sockets and files, code that is being compiled. The kernel must not end it before a guest has
/// met its own limit.
const MARGIN: u64 = 128 << 20;

/// The same for CPU, in microseconds a [`PERIOD`]: the executor lets a guest that has saved spend 15 ms at
/// once, and the kernel would stop the whole process for it, probes and all.
const SLACK: u64 = 20_000;

/// The figures of a Pod's cgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// `cpu.shares` of version 1.
    pub shares: u64,
    /// `cpu.cfs_quota_us` of version 1, the first of `cpu.max` of version 2: microseconds a
    /// [`PERIOD`].
    pub quota: Option<u64>,
    /// `memory.limit_in_bytes`, `memory.max`.
    pub memory: Option<u64>,
}

impl Figures {
    /// Of a Pod of this class.
    pub fn of(class: QosClass, resources: PodResources) -> Self {
        if class == QosClass::BestEffort {
            return Self::LEAST;
        }
        Self {
            shares: shares(resources.cpu_request),
            quota: resources.cpu_limit.map(|limit| quota(limit) + SLACK),
            memory: resources.memory_limit.map(|limit| limit.saturating_add(MARGIN)),
        }
    }

    /// Those of all Pods of best effort together.
    pub(super) const LEAST: Self = Self { shares: LEAST_SHARES, quota: None, memory: None };

    /// `cpu.weight` of version 2.
    pub fn weight(&self) -> u64 {
        weight(self.shares)
    }
}

fn shares(milli: u64) -> u64 {
    (milli.saturating_mul(1024) / 1000).clamp(LEAST_SHARES, MOST_SHARES)
}

fn quota(milli: u64) -> u64 {
    (milli.saturating_mul(PERIOD) / 1000).max(LEAST_QUOTA)
}

fn weight(shares: u64) -> u64 {
    if shares <= LEAST_SHARES {
        return 1;
    }
    if shares >= MOST_SHARES {
        return 10_000;
    }
    #[expect(clippy::cast_precision_loss, reason = "below 2^18")]
    let log = (shares as f64).log2();
    let exponent = log.mul_add(log, 125.0 * log) / 612.0 - 7.0 / 34.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 10000 for the shares that are left"
    )]
    let weight = 10_f64.powf(exponent).ceil() as u64;
    weight.clamp(1, 10_000)
}

/// `oom_score_adj` of a Pod that asks for so many bytes on a machine of `capacity`.
pub fn oom_score_adj(class: QosClass, memory_request: u64, capacity: u64) -> i32 {
    const GUARANTEED: i32 = -997;
    const BEST_EFFORT: i32 = 1000;
    match class {
        QosClass::Guaranteed => GUARANTEED,
        QosClass::BestEffort => BEST_EFFORT,
        QosClass::Burstable => {
            let part = u128::from(memory_request) * 1000 / u128::from(capacity.max(1));
            let adjust = 1000 - i32::try_from(part.min(1000)).unwrap_or(1000);
            // Between the two others, and never the same.
            adjust.clamp(1000 + GUARANTEED, BEST_EFFORT - 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_as_kubernetes_and_runc_have_it() {
        for (milli, shares_of_it, weight_of_it, quota_of_it) in [
            (0, 2, 1, 1_000),
            (1, 2, 1, 1_000),
            (10, 10, 4, 1_000),
            (100, 102, 17, 10_000),
            (250, 256, 35, 25_000),
            (500, 512, 59, 50_000),
            (1000, 1024, 100, 100_000),
            (2000, 2048, 174, 200_000),
            (4000, 4096, 303, 400_000),
            (1_000_000, 262_144, 10_000, 100_000_000),
        ] {
            let figures = (shares(milli), weight(shares(milli)), quota(milli));
            assert_eq!(figures, (shares_of_it, weight_of_it, quota_of_it), "{milli}m");
        }
    }

    #[test]
    fn a_heavier_one_never_weighs_less() {
        let weights: Vec<u64> = (0..=MOST_SHARES).step_by(7).map(weight).collect();
        assert!(weights.is_sorted());
    }

    #[test]
    fn the_best_effort_has_the_least() {
        let resources =
            PodResources { cpu_limit: Some(500), memory_limit: Some(1), ..PodResources::default() };
        assert_eq!(Figures::of(QosClass::BestEffort, resources), Figures::LEAST);
        let bounded = Figures { shares: 2, quota: Some(50_000 + SLACK), memory: Some(MARGIN + 1) };
        assert_eq!(Figures::of(QosClass::Burstable, resources), bounded);
    }

    #[test]
    fn who_asks_for_more_is_ended_later() {
        let adjust = |class, request| oom_score_adj(class, request, 1000);
        assert_eq!(adjust(QosClass::Guaranteed, 1), -997);
        assert_eq!(adjust(QosClass::BestEffort, 0), 1000);
        for (request, expected) in
            [(0, 999), (1, 999), (2, 998), (500, 500), (997, 3), (1000, 3), (5000, 3)]
        {
            assert_eq!(adjust(QosClass::Burstable, request), expected, "{request}");
        }
        assert_eq!(oom_score_adj(QosClass::Burstable, 1, 0), 3);
    }
}
