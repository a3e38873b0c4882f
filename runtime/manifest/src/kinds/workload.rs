//! Workloads, reduced to one Pod of their template.
//!
//! There is no controller: one Pod is run, once, under the name of its workload (of a StatefulSet
//! under that of its first Pod), and a note says so. What differs from a Pod of its own is checked
//! here: which restart policies a kind allows, and that its selector finds its Pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::claim_templates;
use super::gathered::Gathered;
use super::generated_name;
use super::object::Here;
use super::pod::{self, Written};
use crate::decode::decode;
use crate::field::{ErrorType, FieldError, FieldPath, Segment};
use crate::manifest::{Origin, WorkloadKind};
use crate::node::{Node, Value};
use crate::schema::{self, Object};
use crate::strict::{self, Path};
use crate::validate;

pub(super) fn read(kind: WorkloadKind, node: &mut Node, here: &Here, gathered: &mut Gathered) {
    let first_problem = gathered.report.problems.len();
    pod::without_api_access(
        at_mut(node, template_steps(kind)).and_then(|template| template.get_mut("spec")),
        here,
        gathered,
    );
    claim_templates::forget_the_rest(node);
    let object = schema_of(kind);
    strict::check(node, object, &Path::root(&here.prefix, object), &mut gathered.report);

    let node = &*node;
    let template = at(node, template_steps(kind));
    let written =
        Written { template: template.unwrap_or(node), path: template_path(kind), first_problem };
    let (mut own, metadata, spec) = match parts(node, template) {
        Ok(parts) => parts,
        Err(error) => {
            pod::undecodable(error.at.unwrap_or(here.at), &error.message, here, gathered);
            return;
        }
    };
    generated_name::fill(&mut own, here, gathered);
    let name = own.name.clone().unwrap_or_default();
    let pod_name = pod_name(kind, &name, node);
    let wrong = validate::workload_metadata(kind, &own, &pod_name);
    // What is made of a wrong name would be wrong with it, where nobody wrote it.
    let names = if wrong.is_empty() { (name.clone(), pod_name.clone()) } else { stand_ins() };
    let whole = Written { template: node, path: "", first_problem };
    pod::report_errors(wrong, &whole, here, gathered);
    pod::report_errors(spec_errors(kind, node), &whole, here, gathered);

    let mut pod = Pod { metadata, spec: Some(spec), status: None };
    pod.metadata.name = Some(pod_name).filter(|name| !name.is_empty());
    pod.metadata.namespace.clone_from(&own.namespace);
    // A template's own name counts for nothing.
    pod.metadata.generate_name = None;

    let spec = pod.spec.as_mut().expect("set above");
    let errors = restart_policy_errors(kind, spec);
    pod::report_errors(errors, &written, here, gathered);
    for error in selector_errors(kind, node, pod.metadata.labels.as_ref()) {
        let printed = here.path(&error.path.to_string());
        gathered.report.field_error(strict::place_of(node, &error.path), printed, error);
    }
    complete(kind, &mut pod, &names, node, here, gathered);
    if let Some(why) = nothing_to_run(kind, node) {
        let message = format!("{} \"{name}\": nothing is run: {why}", kind.as_str());
        gathered.report.note(here.at, here.prefix.clone(), message);
        return;
    }
    let message = note(kind, &name, node);
    gathered.report.note(here.at, here.prefix.clone(), message);
    pod::finish(pod, Origin::Workload { kind, name }, &written, here, gathered);
}

fn parts(
    node: &Node,
    template: Option<&Node>,
) -> Result<(ObjectMeta, ObjectMeta, PodSpec), crate::decode::DecodeError> {
    fn part<T: serde::de::DeserializeOwned + Default>(
        of: Option<&Node>,
        name: &str,
    ) -> Result<T, crate::decode::DecodeError> {
        of.and_then(|node| node.get(name)).map_or_else(|| Ok(T::default()), decode)
    }
    Ok((part(Some(node), "metadata")?, part(template, "metadata")?, part(template, "spec")?))
}

fn schema_of(kind: WorkloadKind) -> &'static Object {
    match kind {
        WorkloadKind::CronJob => &schema::CRON_JOB,
        WorkloadKind::DaemonSet => &schema::DAEMON_SET,
        WorkloadKind::Deployment => &schema::DEPLOYMENT,
        WorkloadKind::Job => &schema::JOB,
        WorkloadKind::PodTemplate => &schema::POD_TEMPLATE,
        WorkloadKind::ReplicaSet => &schema::REPLICA_SET,
        WorkloadKind::ReplicationController => &schema::REPLICATION_CONTROLLER,
        WorkloadKind::StatefulSet => &schema::STATEFUL_SET,
    }
}

fn template_steps(kind: WorkloadKind) -> &'static [&'static str] {
    match kind {
        WorkloadKind::CronJob => &["spec", "jobTemplate", "spec", "template"],
        WorkloadKind::PodTemplate => &["template"],
        WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::Job
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController
        | WorkloadKind::StatefulSet => &["spec", "template"],
    }
}

fn template_path(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::CronJob => "spec.jobTemplate.spec.template",
        WorkloadKind::PodTemplate => "template",
        WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::Job
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController
        | WorkloadKind::StatefulSet => "spec.template",
    }
}

fn at<'a>(node: &'a Node, steps: &[&str]) -> Option<&'a Node> {
    steps.iter().try_fold(node, |node, step| node.get(step))
}

fn at_mut<'a>(node: &'a mut Node, steps: &[&str]) -> Option<&'a mut Node> {
    steps.iter().try_fold(node, |node, step| node.get_mut(step))
}

fn number(node: &Node, steps: &[&str]) -> Option<i128> {
    match at(node, steps)?.value {
        Value::Integer(number) => Some(number),
        _ => None,
    }
}

fn pod_name(kind: WorkloadKind, name: &str, node: &Node) -> String {
    match kind {
        WorkloadKind::StatefulSet if !name.is_empty() => {
            let first = number(node, &["spec", "ordinals", "start"]).unwrap_or(0);
            format!("{name}-{first}")
        }
        _ => name.to_owned(),
    }
}

/// Names of a workload and its Pod that are refused, but not for these.
fn stand_ins() -> (String, String) {
    ("refused".to_owned(), "refused-0".to_owned())
}

/// What a controller of this kind adds to its Pods, of which some follows from its name and theirs.
fn complete(
    kind: WorkloadKind,
    pod: &mut Pod,
    (name, pod_name): &(String, String),
    node: &Node,
    here: &Here,
    gathered: &mut Gathered,
) {
    let labels = pod.metadata.labels.get_or_insert_default();
    match kind {
        WorkloadKind::Job | WorkloadKind::CronJob => {
            for label in ["batch.kubernetes.io/job-name", "job-name"] {
                labels.insert(label.to_owned(), name.clone());
            }
        }
        WorkloadKind::StatefulSet => {
            labels.insert("statefulset.kubernetes.io/pod-name".to_owned(), pod_name.clone());
            let spec = pod.spec.as_mut().expect("a template was read");
            spec.hostname = Some(pod_name.clone());
            let service = at(node, &["spec", "serviceName"]).and_then(Node::as_str);
            spec.subdomain = service.map(str::to_owned);
            let namespace = pod.metadata.namespace.as_ref();
            claim_templates::claim(spec, pod_name, namespace, node, here, gathered);
        }
        WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::PodTemplate
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController => {}
    }
}

/// What is wrong with that which is neither metadata nor of the template.
fn spec_errors(kind: WorkloadKind, node: &Node) -> Vec<FieldError> {
    fn of<T: serde::de::DeserializeOwned + Default>(
        node: &Node,
        rules: impl FnOnce(&T) -> Vec<FieldError>,
    ) -> Vec<FieldError> {
        // What is of a wrong type was reported and taken out of the tree.
        let spec = node.get("spec").map_or_else(|| Ok(T::default()), decode);
        spec.map_or_else(|_| Vec::new(), |spec| rules(&spec))
    }
    match kind {
        WorkloadKind::CronJob => of(node, validate::cron_job),
        WorkloadKind::DaemonSet => of(node, validate::daemon_set),
        WorkloadKind::Deployment => of(node, validate::deployment),
        WorkloadKind::Job => of(node, validate::job),
        WorkloadKind::PodTemplate => Vec::new(),
        WorkloadKind::ReplicaSet => of(node, validate::replica_set),
        WorkloadKind::ReplicationController => of(node, validate::replication_controller),
        WorkloadKind::StatefulSet => of(node, validate::stateful_set),
    }
}

/// A controller that keeps Pods running takes only Pods that restart; a Job takes only Pods that
/// can end.
fn restart_policy_errors(kind: WorkloadKind, spec: &PodSpec) -> Vec<FieldError> {
    let policy = spec.restart_policy.as_deref().unwrap_or_default();
    let (kind_of_error, detail) = match kind {
        WorkloadKind::Job | WorkloadKind::CronJob => match policy {
            "" => (ErrorType::Required, "valid values: \"OnFailure\", \"Never\""),
            "Always" => (ErrorType::Unsupported, "supported values: \"Never\", \"OnFailure\""),
            _ => return Vec::new(),
        },
        WorkloadKind::PodTemplate => return Vec::new(),
        WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController
        | WorkloadKind::StatefulSet => match policy {
            "Never" | "OnFailure" => (ErrorType::Unsupported, "supported values: \"Always\""),
            _ => return Vec::new(),
        },
    };
    let path = FieldPath::root()
        .then(Segment::Field("spec".into()))
        .then(Segment::Field("restartPolicy".into()));
    vec![field_error(path, kind_of_error, policy, detail.to_owned())]
}

/// Not of Jobs: theirs is made for them, and whoever prints a Job gets it with the Pods' labels.
fn selector_errors(
    kind: WorkloadKind,
    node: &Node,
    labels: Option<&BTreeMap<String, String>>,
) -> Vec<FieldError> {
    let written = at(node, &["spec", "selector"]);
    match kind {
        WorkloadKind::CronJob | WorkloadKind::Job | WorkloadKind::PodTemplate => Vec::new(),
        WorkloadKind::ReplicationController => {
            let selector = written.map(decode).transpose();
            selector.map_or_else(
                |_| Vec::new(),
                |selector| validate::plain_selector(selector.as_ref(), labels),
            )
        }
        WorkloadKind::DaemonSet
        | WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::StatefulSet => {
            // What is of a wrong type was reported and taken out of the tree.
            let Ok(selector) = written.map(decode).transpose() else { return Vec::new() };
            validate::selector(&kind.as_str().to_lowercase(), selector.as_ref(), labels)
        }
    }
}

fn field_error(path: FieldPath, kind: ErrorType, value: &str, detail: String) -> FieldError {
    FieldError { path, kind, value: value.into(), detail, hint: None }
}

fn nothing_to_run(kind: WorkloadKind, node: &Node) -> Option<&'static str> {
    let suspended = || {
        matches!(at(node, &["spec", "suspend"]).map(|node| &node.value), Some(Value::Bool(true)))
    };
    match kind {
        WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController
        | WorkloadKind::StatefulSet
            if number(node, &["spec", "replicas"]) == Some(0) =>
        {
            Some("`replicas` is 0")
        }
        WorkloadKind::Job if suspended() => Some("it is suspended"),
        _ => None,
    }
}

fn note(kind: WorkloadKind, name: &str, node: &Node) -> String {
    let more = |steps: &[&str], what: &str| match number(node, steps) {
        Some(count) if count > 1 => format!(", not as {count} {what}"),
        _ => String::new(),
    };
    let instead = match kind {
        WorkloadKind::Deployment
        | WorkloadKind::ReplicaSet
        | WorkloadKind::ReplicationController
        | WorkloadKind::StatefulSet => more(&["spec", "replicas"], "replicas"),
        WorkloadKind::Job => more(&["spec", "completions"], "completions"),
        WorkloadKind::CronJob => ", now and once: its schedule is not kept".to_owned(),
        WorkloadKind::DaemonSet | WorkloadKind::PodTemplate => String::new(),
    };
    format!("{} \"{name}\" is run as one Pod of its template{instead}", kind.as_str())
}
