//! What may change in place of a Pod. Pure.
//!
//! Rule: `ValidatePodResize` of the API server, in its words.

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceRequirements};

use crate::manifest::field::{ErrorType, FieldError, FieldPath, Segment};
use crate::resources::qos_class;

/// What can be changed.
const MUTABLE: [&str; 2] = ["cpu", "memory"];

/// Every rule that the change from `old` to `new` breaks; both are valid by themselves.
pub(super) fn check(old: &Pod, new: &Pod) -> Vec<FieldError> {
    let (Some(old_spec), Some(new_spec)) = (&old.spec, &new.spec) else { return Vec::new() };
    let mut errors = Vec::new();
    let spec = field(&FieldPath::root(), "spec");
    let class = qos_class(new_spec);
    if class != qos_class(old_spec) {
        errors.push(FieldError {
            path: spec.clone(),
            kind: ErrorType::Invalid,
            value: class.to_string().into(),
            detail: "Pod QOS Class may not change as a result of resizing".to_owned(),
            hint: None,
        });
    }
    let lists = [
        (
            "initContainers",
            old_spec.init_containers.as_deref(),
            new_spec.init_containers.as_deref(),
        ),
        ("containers", Some(&*old_spec.containers), Some(&*new_spec.containers)),
    ];
    let lists = lists.map(|(name, old, new)| {
        (field(&spec, name), name, old.unwrap_or_default(), new.unwrap_or_default())
    });
    let ordering: Vec<_> =
        lists.iter().flat_map(|(at, name, old, new)| order(at, name, old, new)).collect();
    if !ordering.is_empty() {
        errors.extend(ordering);
        return errors;
    }
    for (at, list, old, new) in &lists {
        for (index, (old, new)) in old.iter().zip(*new).enumerate() {
            let is_sidecar = old.restart_policy.as_deref() == Some("Always");
            let at = field(&at.clone().then(Segment::Index(index)), "resources");
            if *list == "initContainers" && !is_sidecar {
                if old.resources != new.resources {
                    let why = "resources for non-sidecar init containers are immutable";
                    errors.push(forbidden(at, why));
                }
                continue;
            }
            errors.extend(removed(&at, old.resources.as_ref(), new.resources.as_ref()));
        }
    }
    if without_mutable(new) != without_mutable(old) {
        errors.push(forbidden(spec, "only cpu and memory resources are mutable"));
    }
    errors
}

/// The containers are those that were there, in their order.
fn order(at: &FieldPath, list: &str, old: &[Container], new: &[Container]) -> Vec<FieldError> {
    if old.len() != new.len() {
        let why = format!("{list} may not be added or removed on resize");
        return vec![forbidden(at.clone(), &why)];
    }
    let renamed = old.iter().zip(new).enumerate().filter(|(_, (old, new))| old.name != new.name);
    let why = format!("{list} may not be renamed or reordered on resize");
    renamed
        .map(|(index, _)| forbidden(field(&at.clone().then(Segment::Index(index)), "name"), &why))
        .collect()
}

fn removed(
    at: &FieldPath,
    old: Option<&ResourceRequirements>,
    new: Option<&ResourceRequirements>,
) -> Vec<FieldError> {
    let lists = |of: Option<&ResourceRequirements>| {
        let of = of.cloned().unwrap_or_default();
        [("requests", of.requests), ("limits", of.limits)]
    };
    let pairs = lists(old).into_iter().zip(lists(new));
    let lost = pairs.filter(|((_, old), (_, new))| {
        let is_kept = |name: &String| new.as_ref().is_some_and(|new| new.contains_key(name));
        !old.iter().flatten().all(|(name, _)| is_kept(name))
    });
    lost.map(|((name, _), _)| {
        forbidden(field(at, name), &format!("resource {name} cannot be removed"))
    })
    .collect()
}

/// The Pod without what may change.
fn without_mutable(pod: &Pod) -> Pod {
    let mut pod = pod.clone();
    if let Some(spec) = &mut pod.spec {
        resizable(spec).for_each(|container| {
            if let Some(resources) = &mut container.resources {
                for list in [&mut resources.requests, &mut resources.limits] {
                    if let Some(amounts) = list {
                        amounts.retain(|name, _| !MUTABLE.contains(&name.as_str()));
                    }
                    // Absent and empty are the same.
                    if list.as_ref().is_some_and(|amounts| amounts.is_empty()) {
                        *list = None;
                    }
                }
                if *resources == ResourceRequirements::default() {
                    container.resources = None;
                }
            }
        });
    }
    pod
}

fn resizable(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.init_containers.iter_mut().flatten().chain(&mut spec.containers)
}

fn field(at: &FieldPath, name: &'static str) -> FieldPath {
    at.clone().then(Segment::Field(name.into()))
}

fn forbidden(path: FieldPath, why: &str) -> FieldError {
    FieldError {
        path,
        kind: ErrorType::Forbidden,
        value: serde_json::Value::Null,
        detail: why.to_owned(),
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(containers: Value) -> Pod {
        serde_json::from_value(json!({ "spec": {
            "initContainers": [
                { "name": "init", "resources": { "requests": { "cpu": "1" } } },
                { "name": "side", "restartPolicy": "Always",
                  "resources": { "limits": { "memory": "64Mi" } } },
            ],
            "containers": containers,
        } }))
        .unwrap()
    }

    fn old() -> Pod {
        pod(json!([
            { "name": "a", "resources":
                { "requests": { "cpu": "100m", "memory": "64Mi" }, "limits": { "cpu": "200m" } } },
            { "name": "b", "image": "b.wasm" },
        ]))
    }

    fn errors(change: impl FnOnce(&mut PodSpec)) -> Vec<String> {
        let mut new = old();
        change(new.spec.as_mut().unwrap());
        check(&old(), &new).iter().map(ToString::to_string).collect()
    }

    fn resources(text: Value) -> Option<ResourceRequirements> {
        Some(serde_json::from_value(text).unwrap())
    }

    #[test]
    fn amounts_of_cpu_and_memory_may_change_and_come() {
        let none: [String; 0] = [];
        assert_eq!(errors(|_| {}), none);
        let more = json!({
            "requests": { "cpu": "300m", "memory": "1Mi" },
            "limits": { "cpu": "1", "memory": "1Gi" },
        });
        assert_eq!(errors(|spec| spec.containers[0].resources = resources(more.clone())), none);
        assert_eq!(errors(|spec| spec.containers[1].resources = resources(more)), none);
    }

    #[test]
    fn nothing_is_removed() {
        let requests = json!({ "requests": { "cpu": "100m" }, "limits": { "cpu": "200m" } });
        assert_eq!(
            errors(|spec| spec.containers[0].resources = resources(requests)),
            [
                "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed"
            ]
        );
        assert_eq!(
            errors(|spec| spec.containers[0].resources = None),
            [
                "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
                "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
            ]
        );
    }

    #[test]
    fn nothing_else_changes() {
        let mutable = "spec: Forbidden: only cpu and memory resources are mutable";
        assert_eq!(errors(|spec| spec.containers[1].image = None), [mutable]);
        assert_eq!(errors(|spec| spec.hostname = Some("h".to_owned())), [mutable]);
        let disk = json!({
            "requests": { "cpu": "100m", "memory": "64Mi", "ephemeral-storage": "1Gi" },
            "limits": { "cpu": "200m" },
        });
        assert_eq!(errors(|spec| spec.containers[0].resources = resources(disk)), [mutable]);
    }

    #[test]
    fn containers_stay_in_their_order() {
        assert_eq!(
            errors(|spec| spec.containers.swap(0, 1)),
            [
                "spec.containers[0].name: Forbidden: containers may not be renamed or reordered on resize",
                "spec.containers[1].name: Forbidden: containers may not be renamed or reordered on resize",
            ]
        );
        assert_eq!(
            errors(|spec| drop(spec.init_containers.as_mut().unwrap().pop())),
            [
                "spec.initContainers: Forbidden: initContainers may not be added or removed on resize"
            ]
        );
    }

    #[test]
    fn sidecars_change_and_other_init_containers_do_not() {
        let more = json!({ "requests": { "cpu": "2" }, "limits": { "memory": "65Mi" } });
        let change = |index: usize| {
            let more = more.clone();
            errors(|spec| {
                spec.init_containers.as_mut().unwrap()[index].resources = resources(more);
            })
        };
        assert_eq!(
            change(0),
            [
                "spec.initContainers[0].resources: Forbidden: resources for non-sidecar init containers are immutable"
            ]
        );
        let none: [String; 0] = [];
        assert_eq!(change(1), none);
    }

    #[test]
    fn the_class_stays() {
        let mut burstable = old();
        let spec = burstable.spec.as_mut().unwrap();
        spec.init_containers = None;
        spec.containers.truncate(1);
        let mut guaranteed = burstable.clone();
        guaranteed.spec.as_mut().unwrap().containers[0].resources = resources(json!({
            "requests": { "cpu": "1", "memory": "1Gi" }, "limits": { "cpu": "1", "memory": "1Gi" },
        }));
        let errors = check(&burstable, &guaranteed);
        assert_eq!(
            errors[0].to_string(),
            r#"spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing"#
        );
    }
}
