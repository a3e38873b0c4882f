//! The host's cgroup round a whole Pod: its share of the CPU among Pods, and bounds behind those
//! that the engine holds inside.
//!
//! ```text
//! <base>/wasmpod/pod<uid>                Guaranteed
//! <base>/wasmpod/burstable/pod<uid>
//! <base>/wasmpod/besteffort/pod<uid>
//! <base>/wasmpod/.../compiling<uid>      what compiles for the Pod: its weight, not its bounds
//! <base>/wasmpod/commands                processes that hold no Pod, where they had to make way
//! ```
//!
//! The base is the cgroup that the process was started in, so that the bounds of a service or a
//! container hold for its Pods, or the root of the machine where that cannot be and nothing is lost
//! by it (`plan`). The shape below it and the figures are the kubelet's. Its own name is not taken: a
//! kubelet of this machine ends whatever it finds in a folder of that and does not know. A class has
//! the sum of the shares of its Pods, so that Pods of different classes compete by what each asked
//! for; best effort has the least there is. Whoever makes a folder removes it; what a killed process
//! left is removed by who started it, or by the next.
//!
//! It needs a process that is the Pod and nothing else, and a folder that is this user's.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `figures` | shares, weights, quotas, `oom_score_adj` | yes |
//! | `hierarchy` | where this machine has its trees | yes |
//! | `names` | what our folders are called | yes |
//! | `plan` | where a Pod's cgroup goes, or why nowhere | yes |
//! | `look` | what the plan has to know of a folder | |
//! | `pod_cgroup` | making, entering, leaving, sweeping | |
//! | `compiling` | a compiling child leaves the Pod's | |
//! | `oom` | whether the kernel ended the Pod | |
//! | `report` | what this machine has, for who asks | |

#[cfg(feature = "compiler")]
mod compiling;
mod error;
mod figures;
mod hierarchy;
mod look;
mod names;
mod oom;
mod plan;
mod pod_cgroup;
mod report;
#[cfg(test)]
mod tests;

#[cfg(feature = "compiler")]
pub(crate) use compiling::leave_pod;
pub use error::CgroupError;
pub use figures::{Figures, PERIOD, oom_score_adj};
pub use oom::OomKill;
pub use plan::{CgroupPlan, Obstacle};
pub use pod_cgroup::PodCgroup;
pub use report::{CgroupReport, CgroupVersion};
