//! From a document to its objects: what kind each is, and who reads it.

use super::gathered::Gathered;
use super::known::{self, Known, Match, Treatment};
use super::{pod, service, support_object, workload};
use crate::node::{MAX_DEPTH, Node, Position, Value};
use crate::parse::Document;
use crate::problem::ProblemKind;
use crate::strict::path_of_key;

/// An object within a document.
#[derive(Debug, Clone)]
pub(super) struct Here {
    /// What stands before the paths of its fields: nothing, or `items[0]`.
    pub(super) prefix: String,
    pub(super) at: Position,
}

impl Here {
    pub(super) fn path(&self, path: &str) -> String {
        join(&self.prefix, path)
    }
}

pub(super) fn join(prefix: &str, path: &str) -> String {
    if prefix.is_empty() || path.is_empty() {
        format!("{prefix}{path}")
    } else {
        format!("{prefix}.{path}")
    }
}

/// Reads all objects of a document; an empty one has none.
pub(crate) fn read_document(document: Document, gathered: &mut Gathered) {
    let Document { mut root, duplicates } = document;
    for duplicate in duplicates {
        let path = gathered
            .report
            .is_worth_a_search()
            .then(|| path_of_key(&root, duplicate.first, &duplicate.key))
            .flatten()
            .unwrap_or(duplicate.key);
        let Position { line, column } = duplicate.first;
        let message = format!(
            "duplicate field \"{path}\": it stands at line {line}, column {column} already"
        );
        gathered.report.problem(ProblemKind::DuplicateField, duplicate.second, path, message, None);
    }
    if root.value != Value::Null {
        let here = Here { prefix: String::new(), at: root.at };
        read(&mut root, &here, None, 0, gathered);
    }
}

fn read(
    node: &mut Node,
    here: &Here,
    assumed: Option<Known>,
    depth: usize,
    gathered: &mut Gathered,
) {
    gathered.objects += 1;
    if !matches!(node.value, Value::Mapping(_)) {
        let found = node.value.kind();
        let what = if here.prefix.is_empty() { "a document" } else { here.prefix.as_str() };
        let message =
            format!("{what} must be an object with `apiVersion` and `kind`, found {found}");
        gathered.report.problem(
            ProblemKind::WrongType,
            here.at,
            here.prefix.clone(),
            message,
            None,
        );
        return;
    }
    if let Some(known) = assumed {
        for (field, value) in [("kind", known.kind), ("apiVersion", known.api_version)] {
            if is_absent(node, field)
                && let Some(written) = node.get_mut(field)
            {
                written.value = Value::String(value.to_owned());
            }
        }
    }
    if assumed.is_none() && is_absent(node, "kind") && is_absent(node, "apiVersion") {
        return no_object(here, gathered);
    }
    let kind = text(
        node,
        "kind",
        here,
        assumed.map(|known| known.kind),
        || "name what this is, such as `kind: Pod`".to_owned(),
        ProblemKind::UnknownKind,
        gathered,
    );
    let suggested = kind.as_deref().and_then(known::version_of).unwrap_or("v1");
    let api_version = text(
        node,
        "apiVersion",
        here,
        assumed.map(|known| known.api_version),
        || format!("write `apiVersion: {suggested}`"),
        ProblemKind::WrongApiVersion,
        gathered,
    );
    let (Some(kind), Some(api_version)) = (kind, api_version) else {
        return;
    };

    match known::find(&kind, &api_version) {
        Match::Known(known) => dispatch(known.treatment, node, here, depth, &kind, gathered),
        Match::ListOf(known) => list(node, here, Some(known), depth, gathered),
        Match::Foreign => skip(node, here, &kind, gathered),
        Match::WrongVersion(known) => {
            let message = format!("no matches for kind \"{kind}\" in version \"{api_version}\"");
            let hint = format!("{kind} is `apiVersion: {}`", known.api_version);
            complain(
                node,
                "apiVersion",
                here,
                ProblemKind::WrongApiVersion,
                message,
                Some(hint),
                gathered,
            );
        }
        Match::Unknown { nearest } => {
            let message = format!("no matches for kind \"{kind}\" in version \"{api_version}\"");
            let hint = nearest.map(|meant| format!("did you mean `{meant}`?"));
            complain(node, "kind", here, ProblemKind::UnknownKind, message, hint, gathered);
        }
    }
}

fn is_absent(node: &Node, field: &str) -> bool {
    match node.get(field).map(|field| &field.value) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    }
}

/// The settings of another tool that lie beside manifests.
fn no_object(here: &Here, gathered: &mut Gathered) {
    let what = if here.prefix.is_empty() { "this" } else { here.prefix.as_str() };
    let message = format!("{what} is no Kubernetes object: it has neither `apiVersion` nor `kind`");
    let file = gathered.source.rsplit('/').next().unwrap_or_default();
    let hint = ["kustomization.yaml", "kustomization.yml", "Kustomization"]
        .contains(&file)
        .then(|| "build it first with `kubectl kustomize`".to_owned());
    gathered.report.problem(ProblemKind::UnknownKind, here.at, here.prefix.clone(), message, hint);
}

fn dispatch(
    treatment: Treatment,
    node: &mut Node,
    here: &Here,
    depth: usize,
    kind: &str,
    gathered: &mut Gathered,
) {
    match treatment {
        Treatment::Pod => pod::read(node, here, gathered),
        Treatment::Workload(kind) => workload::read(kind, node, here, gathered),
        Treatment::ConfigMap => support_object::config_map(node, here, gathered),
        Treatment::Secret => support_object::secret(node, here, gathered),
        Treatment::PersistentVolumeClaim => support_object::claim(node, here, gathered),
        Treatment::Service => service::read(node, here, gathered),
        Treatment::List => list(node, here, None, depth, gathered),
        Treatment::Skip => skip(node, here, kind, gathered),
    }
}

fn list(
    node: &mut Node,
    here: &Here,
    assumed: Option<Known>,
    depth: usize,
    gathered: &mut Gathered,
) {
    if depth >= MAX_DEPTH {
        return;
    }
    let Some(items) = node.get_mut("items") else {
        return;
    };
    match &mut items.value {
        Value::Null => {}
        Value::Sequence(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let prefix = here.path(&format!("items[{index}]"));
                let here = Here { prefix, at: item.at };
                read(item, &here, assumed, depth + 1, gathered);
            }
        }
        other => {
            let path = here.path("items");
            let message = format!("{path}: expected a list, found {}", other.kind());
            gathered.report.problem(ProblemKind::WrongType, items.at, path, message, None);
        }
    }
}

fn skip(node: &Node, here: &Here, kind: &str, gathered: &mut Gathered) {
    let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
    let named = match name.and_then(Node::as_str) {
        Some(name) => format!("{kind} \"{name}\""),
        None => kind.to_owned(),
    };
    let message = format!("{named} is skipped: objects of this kind have no effect here");
    gathered.report.note(here.at, here.prefix.clone(), message);
}

/// A field of text that every object must have.
fn text(
    node: &Node,
    field: &str,
    here: &Here,
    assumed: Option<&'static str>,
    hint: impl FnOnce() -> String,
    kind: ProblemKind,
    gathered: &mut Gathered,
) -> Option<String> {
    let path = here.path(field);
    match node.get(field).map(|node| &node.value) {
        Some(Value::String(text)) if !text.is_empty() => return Some(text.clone()),
        None | Some(Value::Null | Value::String(_)) => {
            if let Some(assumed) = assumed {
                return Some(assumed.to_owned());
            }
            let message = format!("{path}: Required value");
            complain(node, field, here, kind, message, Some(hint()), gathered);
        }
        Some(other) => {
            let message = format!("{path}: expected a string, found {}", other.kind());
            complain(node, field, here, ProblemKind::WrongType, message, None, gathered);
        }
    }
    None
}

fn complain(
    node: &Node,
    field: &str,
    here: &Here,
    kind: ProblemKind,
    message: String,
    hint: Option<String>,
    gathered: &mut Gathered,
) {
    let at = node.get(field).map_or(here.at, |value| value.at);
    gathered.report.problem(kind, at, here.path(field), message, hint);
}
