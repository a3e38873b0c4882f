//! The host's cgroup round a whole Pod: its share of the CPU among Pods, and bounds behind those
//! that the engine holds inside.
//!
//! ```text
//! kubepods/pod<uid>                Guaranteed
//! kubepods/burstable/pod<uid>
//! kubepods/besteffort/pod<uid>
//! ```
//!
//! The names and figures are the kubelet's (`cgroupfs` driver). A class has the sum of the shares of
//! its Pods, so that Pods of different classes compete by what each asked for. Whoever makes a folder
//! removes it; what a killed process left is removed by the next.
//!
//! It needs a process that is the Pod and nothing else, and the right to make cgroups, which root
//! has. Without it Pods run all the same: their containers are held to their limits by the engine.
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
