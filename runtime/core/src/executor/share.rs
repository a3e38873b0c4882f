//! How much CPU an account is entitled to: a weight among its siblings and a hard limit.

use std::num::NonZeroU32;

/// An amount of CPU in thousandths of one core, more than zero (`500m` is half a core).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MilliCpu(NonZeroU32);

impl MilliCpu {
    /// `None` for zero: Kubernetes reads a limit of zero as no limit.
    pub fn new(thousandths: u32) -> Option<Self> {
        NonZeroU32::new(thousandths).map(Self)
    }

    /// Thousandths of a core.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// The share of an account when there is not enough CPU for all, relative to its siblings'.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(NonZeroU32);

impl Weight {
    /// The weight of a container that requests no CPU.
    ///
    /// A kubelet gives it 2 of the 1024 shares that a whole core has (`MinShares`).
    pub const MIN: Self = Self(NonZeroU32::new(2).expect("two is not zero"));

    /// The weight of a container by its CPU request: a thousandth of a core is one.
    pub fn of_request(request: Option<MilliCpu>) -> Self {
        request.map_or(Self::MIN, |request| Self(request.0).max(Self::MIN))
    }

    /// The plain number.
    pub fn get(self) -> u32 {
        self.0.get()
    }
}
