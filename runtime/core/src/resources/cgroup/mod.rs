//! The host's cgroup round a whole Pod: its share of the CPU among Pods, and bounds behind those
//! that the engine holds inside.
//!
//! ```text
//! wasmpod/pod<uid>                Guaranteed
//! wasmpod/burstable/pod<uid>
//! wasmpod/besteffort/pod<uid>
//! ```
//!
//! The shape and the figures are the kubelet's. Its own name is not taken: a kubelet of this machine
//! ends whatever it finds in a folder of that and does not know. A class has the sum of the shares of
//! its Pods, so that Pods of different classes compete by what each asked for; best effort has the
//! least there is. Whoever makes a folder removes it; what a killed process left is removed by the
//! next.
//!
//! It needs a process that is the Pod and nothing else, and the right to make cgroups, which root
//! has. The process leaves the cgroup that it was started in, with whatever bounds that has: so it
//! is done for who asks.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `figures` | shares, weights, quotas, `oom_score_adj` | yes |
//! | `hierarchy` | where this machine has its trees | yes |
//! | `pod_cgroup` | making, entering, leaving, sweeping | |

mod figures;
mod hierarchy;
mod pod_cgroup;

pub use figures::{Figures, PERIOD, oom_score_adj};
pub use pod_cgroup::{CgroupError, PodCgroup, Trees};
