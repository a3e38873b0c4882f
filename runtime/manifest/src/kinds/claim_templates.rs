//! A claim for each of a StatefulSet's templates, and the volume that is mounted from it.

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, PodSpec, Volume,
};

use super::gathered::Gathered;
use super::object::Here;
use super::pod::undecodable;
use crate::decode::decode;
use crate::defaults;
use crate::field::{ErrorType, FieldError, FieldPath, Segment};
use crate::node::{Node, Value};
use crate::strict;

/// Takes out what says nothing about the claims that are wanted: what only the system writes, and
/// what type they are of, which no cluster looks at here.
pub(super) fn forget_the_rest(stateful_set: &mut Node) {
    let templates = stateful_set
        .get_mut("spec")
        .and_then(|spec| spec.get_mut("volumeClaimTemplates"))
        .map(|templates| &mut templates.value);
    if let Some(Value::Sequence(templates)) = templates {
        for template in templates {
            template.remove("status");
            for field in ["apiVersion", "kind"] {
                let value = template.get(field).map(|field| &field.value);
                if matches!(value, Some(Value::String(_) | Value::Null)) {
                    template.remove(field);
                }
            }
        }
    }
}

/// Keeps the claims of `pod_name`, and gives its `spec` their volumes.
pub(super) fn claim(
    spec: &mut PodSpec,
    pod_name: &str,
    namespace: Option<&String>,
    stateful_set: &Node,
    here: &Here,
    gathered: &mut Gathered,
) {
    let templates = stateful_set.get("spec").and_then(|spec| spec.get("volumeClaimTemplates"));
    let Some(Value::Sequence(templates)) = templates.map(|templates| &templates.value) else {
        return;
    };
    for (index, template) in templates.iter().enumerate() {
        let mut claim = match decode::<PersistentVolumeClaim>(template) {
            Ok(claim) => claim,
            Err(error) => {
                undecodable(error.at.unwrap_or(template.at), &error.message, here, gathered);
                continue;
            }
        };
        let Some(volume) = claim.metadata.name.clone() else {
            let error = unnamed(index);
            let printed = here.path(&error.path.to_string());
            let at = strict::place_of(stateful_set, &error.path);
            gathered.report.field_error(at, printed, error);
            continue;
        };
        let name = format!("{volume}-{pod_name}");
        claim.metadata.name = Some(name.clone());
        claim.metadata.namespace = namespace.cloned();
        defaults::persistent_volume_claim(&mut claim);
        let source = PersistentVolumeClaimVolumeSource { claim_name: name, read_only: None };
        let volumes = spec.volumes.get_or_insert_default();
        volumes.retain(|other| other.name != volume);
        volumes.push(Volume {
            name: volume,
            persistent_volume_claim: Some(source),
            ..Volume::default()
        });
        gathered.manifest.persistent_volume_claims.push(claim);
    }
}

fn unnamed(index: usize) -> FieldError {
    let path = FieldPath::root()
        .then(Segment::Field("spec".into()))
        .then(Segment::Field("volumeClaimTemplates".into()))
        .then(Segment::Index(index))
        .then(Segment::Field("metadata".into()))
        .then(Segment::Field("name".into()));
    let detail = "the volume is known by it".to_owned();
    FieldError { path, kind: ErrorType::Required, value: "".into(), detail, hint: None }
}
