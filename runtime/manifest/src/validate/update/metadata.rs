//! `metadata` of an object that changes. What the API server alone sets is not looked at: it
//! stays as it is, whatever a client sends.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::absent::list;
use crate::field::{Errors, Place, quote};

pub(super) fn object_meta(new: &ObjectMeta, old: &ObjectMeta, errors: &mut Errors) {
    if old.deletion_timestamp.is_none() {
        return;
    }
    let known = list(&old.finalizers);
    let mut added: Vec<&String> =
        list(&new.finalizers).iter().filter(|finalizer| !known.contains(finalizer)).collect();
    added.sort();
    added.dedup();
    if !added.is_empty() {
        let quoted: Vec<String> = added.into_iter().map(|finalizer| quote(finalizer)).collect();
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{{{}}}",
            quoted.join(", ")
        );
        errors.forbidden(&Place::top("metadata").field("finalizers"), &detail);
    }
}
