//! `--cgroup`: where the Pods of a command have their cgroups of the host, found out once for all of
//! them; and what the kernel did to a Pod in one.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;
use wasmpod::error::chain;
use wasmpod::resources::cgroup::CgroupPlan;
use wasmpod::resources::qos_class;

use super::bundle::{Bundle, Events};
use crate::print::problem;

/// Tells each Pod of its place; where there is none they do without, and the user is told.
pub(super) fn find(bundles: &mut [Bundle], quiet: bool) {
    let plan = CgroupPlan::find().and_then(|plan| plan.step_aside().map(|()| plan));
    let note = match &plan {
        Ok(plan) => plan.note().map(str::to_owned),
        Err(error) => Some(format!("there is no cgroup of the host for a Pod: {}", chain(error))),
    };
    if let Some(note) = note.filter(|_| !quiet) {
        problem::note(&note);
    }
    let plan = plan.ok();
    bundles.iter_mut().for_each(|bundle| bundle.cgroup.clone_from(&plan));
}

/// A Pod's process has ended: says so if the kernel did it, and removes what is left of its cgroup.
pub(super) fn settle(bundle: &Bundle, status: ExitStatus) {
    let (Some(plan), Some(place)) = (&bundle.cgroup, &bundle.place) else { return };
    let class = qos_class(&bundle.pod.spec.clone().unwrap_or_default());
    if status.signal() == Some(Signal::KILL.as_raw())
        && bundle.show.events != Events::None
        && let Some(kill) = plan.oom_kill(&place.uid, class)
    {
        problem::warning(&format!("pod/{}: {kill}", bundle.name()));
    }
    plan.remove(&place.uid, class);
}
