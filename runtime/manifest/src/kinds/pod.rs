//! Pods: checked, decoded, given their defaults and validated.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::Pod;

use super::echo::Earlier;
use super::gathered::Gathered;
use super::object::{Here, join};
use super::{generated_name, injected};
use crate::decode::decode;
use crate::defaults;
use crate::field::{ErrorType, FieldError, Segment};
use crate::manifest::{Origin, PodManifest};
use crate::node::Node;
use crate::problem::ProblemKind;
use crate::schema::POD;
use crate::strict::{self, Path, place_of};
use crate::validate;

pub(super) fn read(node: &mut Node, here: &Here, gathered: &mut Gathered) {
    let first_problem = gathered.report.problems.len();
    without_api_access(node.get_mut("spec"), here, gathered);
    strict::check(node, &POD, &Path::root(&here.prefix, &POD), &mut gathered.report);
    match decode::<Pod>(node) {
        Ok(mut pod) => {
            generated_name::fill(&mut pod.metadata, here, gathered);
            let written = Written { template: node, path: "", first_problem };
            finish(pod, Origin::Pod, &written, here, gathered);
        }
        Err(error) => undecodable(error.at.unwrap_or(here.at), &error.message, here, gathered),
    }
}

/// The tree that a Pod was made from.
pub(super) struct Written<'a> {
    /// The part of the object in which `metadata` and `spec` are the Pod's.
    pub(super) template: &'a Node,
    /// The way to it from the whole object, as it is printed.
    pub(super) path: &'static str,
    /// Problems of the object begin here.
    pub(super) first_problem: usize,
}

/// Fills in, validates and keeps a Pod.
pub(super) fn finish(
    mut pod: Pod,
    origin: Origin,
    written: &Written<'_>,
    here: &Here,
    gathered: &mut Gathered,
) {
    forget_server_fields(&mut pod);
    defaults::apply(&mut pod);
    report_errors(validate::pod(&pod), written, here, gathered);

    let name = pod.metadata.name.clone().unwrap_or_default();
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    match &origin {
        Origin::Pod => gathered.claim_name("Pod", &namespace, &name, here.at),
        Origin::Workload { kind, name } => {
            gathered.claim_name(kind.as_str(), &namespace, name, here.at);
        }
    }
    if gathered.report.problems.len() == written.first_problem {
        let source = gathered.source.clone();
        let is_asked = gathered.keeps_written && origin == Origin::Pod;
        let own = is_asked.then(|| decode::<serde_json::Value>(written.template).ok()).flatten();
        gathered.manifest.pods.push(PodManifest {
            pod,
            origin,
            source,
            line: here.at.line,
            written: own.map(Box::new),
        });
    }
}

/// Reports broken rules at their places, but not what only follows from an earlier problem.
pub(super) fn report_errors(
    errors: Vec<FieldError>,
    written: &Written<'_>,
    here: &Here,
    gathered: &mut Gathered,
) {
    forget_misnomers(&errors, written, here, gathered);
    let earlier = Earlier::new(&gathered.report.problems[written.first_problem..]);
    for error in errors {
        if gathered.report.is_full() {
            return;
        }
        if is_copied(written, &error) {
            continue;
        }
        // The name of a workload's Pod is the workload's, and was checked there.
        if !written.path.is_empty() && is_name(&error) {
            continue;
        }
        let path = here.path(&join(written.path, &error.path.to_string()));
        if !earlier.explains(&path, &error) {
            let at = place_of(written.template, &error.path);
            gathered.report.field_error(at, path, error);
        }
    }
}

/// Whether the error is that of a request nobody wrote: it was copied from its limit, of which the
/// same is said.
fn is_copied(written: &Written<'_>, error: &FieldError) -> bool {
    let is_requests =
        |segment: &Segment| matches!(segment, Segment::Field(name) if name == "requests");
    if error.kind == ErrorType::Required || !error.path.segments().any(is_requests) {
        return false;
    }
    let mut segments = error.path.segments();
    let found = segments.try_fold(written.template, |node, segment| match segment {
        Segment::Field(name) => node.get(name),
        Segment::Key(key) => node.get(key),
        Segment::Index(index) => node.item(*index),
    });
    found.is_none()
}

/// What Kubernetes does not know is a slip: the rule says so, and that the thing is not supported
/// here is beside the point.
fn forget_misnomers(
    errors: &[FieldError],
    written: &Written<'_>,
    here: &Here,
    gathered: &mut Gathered,
) {
    let misnomers: HashSet<String> = errors
        .iter()
        .filter(|error| error.is_misnomer())
        .map(|error| here.path(&join(written.path, &error.path.exact())))
        .collect();
    let mut index = 0;
    gathered.report.problems.retain(|problem| {
        index += 1;
        index <= written.first_problem
            || problem.kind != ProblemKind::NotSupported
            || !misnomers.contains(&problem.path)
    });
}

fn is_name(error: &FieldError) -> bool {
    let mut segments = error.path.segments();
    let is = |segment: Option<&Segment>, names: &[&str]| matches!(segment, Some(Segment::Field(name)) if names.contains(&name.as_ref()));
    is(segments.next(), &["metadata"])
        && is(segments.next(), &["name", "namespace", "generateName"])
}

pub(super) fn undecodable(
    at: crate::node::Position,
    message: &str,
    here: &Here,
    gathered: &mut Gathered,
) {
    let message = format!("cannot be read: {message}");
    gathered.report.problem(ProblemKind::WrongType, at, here.prefix.clone(), message, None);
}

pub(super) fn without_api_access(spec: Option<&mut Node>, here: &Here, gathered: &mut Gathered) {
    if spec.is_some_and(injected::remove_api_access) {
        gathered.report.note_once(("Pod", "kube-api-access"), here.at, || {
            let message = "the volume `kube-api-access-…` is left out: it was put in by an API \
                           server, and there is none here to be reached with its token";
            (here.path("spec.volumes"), message.to_owned())
        });
    }
}

/// What only the API server sets is not part of what is wanted.
fn forget_server_fields(pod: &mut Pod) {
    pod.status = None;
    let metadata = &mut pod.metadata;
    metadata.creation_timestamp = None;
    metadata.deletion_grace_period_seconds = None;
    metadata.deletion_timestamp = None;
    metadata.generation = None;
    metadata.managed_fields = None;
    metadata.resource_version = None;
    metadata.self_link = None;
    metadata.uid = None;
}
