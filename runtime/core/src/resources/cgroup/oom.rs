//! Whether the kernel ended a Pod for want of memory.
//!
//! Read after the Pod's process is gone, by who started it: `memory.events` of version 2,
//! `memory.oom_control` and `memory.failcnt` of version 1.

use std::fmt;
use std::fs;
use std::path::Path;

use super::CgroupPlan;
use super::hierarchy::Version;
use super::names::pod_folder;
use super::plan::Spot;
use crate::manifest::quantity::Quantity;
use crate::resources::QosClass;

/// The kernel has ended a Pod's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OomKill {
    /// Its own cgroup was full.
    OwnLimit {
        /// Bytes.
        limit: u64,
    },
    /// The machine was, or a cgroup above.
    Above,
}

impl fmt::Display for OomKill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnLimit { limit } => {
                let limit = Quantity::from_bytes(*limit);
                write!(f, "OOMKilled by the kernel: the Pod's cgroup reached {limit}")
            }
            Self::Above => f.write_str(
                "OOMKilled by the kernel: the machine, or a cgroup above the Pod's, had no memory left",
            ),
        }
    }
}

impl CgroupPlan {
    /// Whether the process of the Pod `uid`, which has ended, was ended for want of memory.
    pub fn oom_kill(&self, uid: &str, class: QosClass) -> Option<OomKill> {
        self.spots.iter().find_map(|spot| spot.oom_kill_in(&pod_folder(&spot.base, class, uid)))
    }
}

impl Spot {
    /// Whether the kernel has ended somebody in this cgroup.
    pub(super) fn oom_kill_in(&self, folder: &Path) -> Option<OomKill> {
        if !self.controllers.memory {
            return None;
        }
        let text = |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_default();
        let number = |file: &str| text(file).trim().parse::<u64>().ok();
        match self.version {
            Version::V2 => {
                let events = text("memory.events");
                kill(&events, count(&events, "oom"), number("memory.max"))
            }
            Version::V1 => {
                let failures = number("memory.failcnt").unwrap_or(0);
                kill(&text("memory.oom_control"), failures, number("memory.limit_in_bytes"))
            }
        }
    }
}

/// `events` counts the kills, for whatever reason; `full` how often the cgroup itself was full.
fn kill(events: &str, full: u64, limit: Option<u64>) -> Option<OomKill> {
    let is_killed = count(events, "oom_kill") > 0;
    is_killed.then_some(match limit {
        Some(limit) if full > 0 => OomKill::OwnLimit { limit },
        Some(_) | None => OomKill::Above,
    })
}

/// The number beside a word, each pair on a line of its own.
fn count(events: &str, word: &str) -> u64 {
    let mut counts = events.lines().filter_map(|line| line.split_once(' '));
    counts.find(|(name, _)| *name == word).and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_is_told_from_none_and_by_its_reason() {
        let events = |oom, kills| {
            format!("low 0\nhigh 0\nmax 67\noom {oom}\noom_kill {kills}\noom_group_kill 1\n")
        };
        let killed = |oom, kills, limit| {
            let events = events(oom, kills);
            kill(&events, count(&events, "oom"), limit)
        };
        assert_eq!(killed(1, 2, Some(384 << 20)), Some(OomKill::OwnLimit { limit: 384 << 20 }));
        assert_eq!(killed(0, 1, Some(1)), Some(OomKill::Above), "somebody above was full");
        assert_eq!(killed(0, 1, None), Some(OomKill::Above));
        assert_eq!(killed(3, 0, Some(1)), None, "it got away");
        assert_eq!(kill("nonsense", 1, Some(1)), None);
        let v1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
        assert_eq!(kill(v1, 7, Some(4096)), Some(OomKill::OwnLimit { limit: 4096 }));
    }

    #[test]
    fn it_is_said_in_the_words_of_a_manifest() {
        assert_eq!(
            OomKill::OwnLimit { limit: 384 << 20 }.to_string(),
            "OOMKilled by the kernel: the Pod's cgroup reached 384Mi"
        );
    }
}
