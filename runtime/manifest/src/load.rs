//! From sources to a [`Manifest`]: every step in its order, and all problems of all of them.

use crate::kinds::{Gathered, read_document};
use crate::manifest::{Manifest, Origin, PodManifest};
use crate::node::Position;
use crate::parse;
use crate::problem::{LoadErrors, ProblemKind};
use crate::source::Source;

/// Reads sources as `kubectl` would, and checks every object in them.
///
/// ```
/// # use wasmpod_manifest::{Source, load};
/// let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, imagee: a}\n";
/// let source = Source { name: "pod.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
/// let errors = load(&[source]).unwrap_err();
/// assert_eq!(
///     errors.to_string(),
///     "pod.yaml:6:15: unknown field \"spec.containers[0].imagee\"\n    hint: did you mean `image`?",
/// );
/// ```
///
/// # Errors
/// All problems of all sources at once, each with its place.
pub fn load(sources: &[Source]) -> Result<Manifest, LoadErrors> {
    let mut gathered = Gathered::default();
    for source in sources {
        gathered.begin(&source.name);
        read_source(source, &mut gathered);
    }
    if let Some(first) = sources.first() {
        gathered.begin(&first.name);
        refuse_nothing(&mut gathered);
    }
    let Gathered { mut manifest, mut report, .. } = gathered;
    let rank = |name: &str| sources.iter().position(|source| source.name == name);
    // Stable: what is said of one place stays in the order in which it was found.
    report.notes.sort_by_key(|note| (rank(&note.source), note.line, note.column));
    report.problems.sort_by_key(|problem| (rank(&problem.source), problem.line, problem.column));
    if report.problems.is_empty() {
        tell_namesakes_apart(&mut manifest.pods);
        manifest.notes = report.notes;
        return Ok(manifest);
    }
    Err(LoadErrors { problems: report.problems, notes: report.notes })
}

fn read_source(source: &Source, gathered: &mut Gathered) {
    let (problems_before, objects_before) = (gathered.report.problems.len(), gathered.objects);
    let (documents, errors) = parse::documents(&source.bytes);
    for error in errors {
        let parse::SyntaxError { at, kind, message, hint } = error;
        gathered.report.problem(kind, at, String::new(), message, hint);
    }
    for document in documents {
        read_document(document, gathered);
    }
    if gathered.objects == objects_before && gathered.report.problems.len() == problems_before {
        let message = "there is no object in it".to_owned();
        gathered.report.about_source(ProblemKind::Empty, message);
    }
}

/// As `podman kube play`: skipped kinds are no error as long as something is left.
fn refuse_nothing(gathered: &mut Gathered) {
    let Manifest { pods, config_maps, secrets, persistent_volume_claims, .. } = &gathered.manifest;
    let something = !pods.is_empty()
        || !config_maps.is_empty()
        || !secrets.is_empty()
        || !persistent_volume_claims.is_empty();
    if something || gathered.skipped.is_empty() || !gathered.report.problems.is_empty() {
        return;
    }
    let kinds: Vec<&str> = gathered.skipped.iter().map(String::as_str).collect();
    let message = format!("nothing to run: only {} here", kinds.join(", "));
    gathered.report.problem(
        ProblemKind::UnknownKind,
        Position { line: 0, column: 0 },
        String::new(),
        message,
        Some("write a Pod, or a workload such as a Deployment or a Job".to_owned()),
    );
}

/// A Deployment and a Job may share a name, but their Pods may not.
fn tell_namesakes_apart(pods: &mut [PodManifest]) {
    for index in 0..pods.len() {
        let (before, rest) = pods.split_at_mut(index);
        let this = &mut rest[0];
        let Origin::Workload { kind, name } = &this.origin else {
            continue;
        };
        let taken = |name: Option<&String>| {
            before.iter().any(|other| {
                other.pod.metadata.name.as_ref() == name
                    && other.pod.metadata.namespace == this.pod.metadata.namespace
            })
        };
        if taken(this.pod.metadata.name.as_ref()) {
            let named = format!("{name}-{}", kind.as_str().to_lowercase());
            this.pod.metadata.name = Some(named);
        }
    }
}
