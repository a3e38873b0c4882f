//! A Pod: its images may change, its time to live may get shorter, and it may tolerate more.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Toleration};

use super::super::absent::list;
use super::super::names;
use super::difference::differences;
use super::metadata;
use crate::field::{Errors, FieldError, Place};

const MUTABLE: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Every change from `old` to `new` that a Pod does not allow.
pub fn pod_update(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&new.metadata, &old.metadata, &mut errors);
    let empty = PodSpec::default();
    let [new, old] = [new, old].map(|pod| pod.spec.as_ref().unwrap_or(&empty));
    spec(new, old, &Place::top("spec"), &mut errors);
    errors.into_vec()
}

fn spec(new: &PodSpec, old: &PodSpec, at: &Place<'_>, errors: &mut Errors) {
    if new.containers.len() != old.containers.len() {
        let detail = "pod updates may not add or remove containers";
        return errors.forbidden(&at.field("containers"), detail);
    }
    if list(&new.init_containers).len() != list(&old.init_containers).len() {
        let detail = "pod updates may not add or remove containers";
        return errors.forbidden(&at.field("initContainers"), detail);
    }
    if !deadline(new, old, at, errors) {
        return;
    }
    tolerations(list(&new.tolerations), list(&old.tolerations), at, errors);

    let changed = differences("spec", &with_mutable_of(new.clone(), old), old);
    if !changed.is_empty() {
        errors.forbidden(at, MUTABLE);
        errors.hint(format!("changed: {}", changed.join(", ")));
    }
}

/// Whether it makes sense to look further.
fn deadline(new: &PodSpec, old: &PodSpec, at: &Place<'_>, errors: &mut Errors) -> bool {
    let at = at.field("activeDeadlineSeconds");
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(seconds), _) if !(0..=i64::from(i32::MAX)).contains(&seconds) => {
            errors.invalid(&at, seconds, names::between(0, i32::MAX));
            false
        }
        (Some(new), Some(old)) if new > old => {
            errors.invalid(&at, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            let detail = "must not update from a positive integer to nil value";
            errors.invalid(&at, serde_json::Value::Null, detail);
            true
        }
        _ => true,
    }
}

/// Each of the old ones is still there, though perhaps for another time.
fn tolerations(new: &[Toleration], old: &[Toleration], at: &Place<'_>, errors: &mut Errors) {
    let lasting =
        |toleration: &Toleration| Toleration { toleration_seconds: None, ..toleration.clone() };
    let kept = old.iter().all(|old| new.iter().any(|new| lasting(new) == lasting(old)));
    if !kept {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        errors.forbidden(&at.field("tolerations"), detail);
    }
}

/// `new` with all that may change as it is in `old`.
fn with_mutable_of(mut new: PodSpec, old: &PodSpec) -> PodSpec {
    images(&mut new.containers, &old.containers);
    if let (Some(new), Some(old)) = (&mut new.init_containers, &old.init_containers) {
        images(new, old);
    }
    new.active_deadline_seconds = old.active_deadline_seconds;
    new.tolerations.clone_from(&old.tolerations);
    let grace = old.termination_grace_period_seconds;
    if grace.is_some_and(|seconds| seconds < 0) && new.termination_grace_period_seconds == Some(1) {
        new.termination_grace_period_seconds = grace;
    }
    new
}

fn images(new: &mut [Container], old: &[Container]) {
    for (new, old) in new.iter_mut().zip(old) {
        new.image.clone_from(&old.image);
    }
}
