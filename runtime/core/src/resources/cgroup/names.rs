//! What our cgroups are called. Pure.

use std::path::{Path, PathBuf};

use crate::resources::QosClass;

/// Above all of ours.
pub(super) const TOP: &str = "wasmpod";

/// Processes of ours that hold no Pod, where they must leave the cgroup that they were started in.
pub(super) const COMMANDS: &str = "commands";

pub(super) const BURSTABLE: &str = "burstable";
pub(super) const BEST_EFFORT: &str = "besteffort";

/// Before a uid: a Pod.
pub(super) const POD: &str = "pod";

/// Before a uid: what compiles for the Pod.
pub(super) const COMPILING: &str = "compiling";

pub(super) const CLASSES: [QosClass; 3] =
    [QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort];

/// The folder of a class, below `base`.
pub(super) fn class_folder(base: &Path, class: QosClass) -> PathBuf {
    let top = base.join(TOP);
    match class {
        QosClass::Guaranteed => top,
        QosClass::Burstable => top.join(BURSTABLE),
        QosClass::BestEffort => top.join(BEST_EFFORT),
    }
}

/// The folder of a Pod, below `base`.
pub(super) fn pod_folder(base: &Path, class: QosClass, uid: &str) -> PathBuf {
    class_folder(base, class).join(format!("{POD}{uid}"))
}

/// Where what compiles for the Pod in this folder goes; none for a folder that is no Pod's.
pub(super) fn compiling_folder(pod: &Path) -> Option<PathBuf> {
    let uid = pod.file_name()?.to_str()?.strip_prefix(POD)?;
    let class = pod.parent()?;
    let is_ours = class.ancestors().take(2).any(|above| above.ends_with(TOP));
    is_ours.then(|| class.join(format!("{COMPILING}{uid}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiles_for_a_pod_is_beside_it() {
        let folder = |pod: &str| compiling_folder(Path::new(pod));
        let some = |path: &str| Some(PathBuf::from(path));
        assert_eq!(folder("/c/wasmpod/pod1"), some("/c/wasmpod/compiling1"));
        assert_eq!(folder("/c/wasmpod/burstable/pod1"), some("/c/wasmpod/burstable/compiling1"));
        for other in ["/c/wasmpod/commands", "/kubepods/burstable/pod1", "/", "/wasmpod"] {
            assert_eq!(folder(other), None, "{other}");
        }
    }
}
