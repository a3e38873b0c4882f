//! From sources to a [`Manifest`]: every step in its order, and all problems of all of them.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::Pod;

use crate::decode::decode;
use crate::kinds::{Gathered, read_document};
use crate::manifest::{Manifest, Origin, PodManifest};
use crate::node::Position;
use crate::parse;
use crate::problem::{LoadErrors, ProblemKind};
use crate::source::Source;

/// Reads sources as `kubectl` would, and checks every object in them.
///
/// Objects of kinds that have no effect here are skipped with a note, even when nothing is left:
/// such a manifest is as right as any other, there is only no Pod in it.
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
    gather(sources, Gathered::default())
}

/// The same, and each Pod and Service as it is written beside it: for who compares with what was written before.
///
/// # Errors
/// As of [`load`].
pub fn load_as_written(sources: &[Source]) -> Result<Manifest, LoadErrors> {
    let mut gathered = Gathered::default();
    gathered.keeps_written = true;
    gather(sources, gathered)
}

fn gather(sources: &[Source], mut gathered: Gathered) -> Result<Manifest, LoadErrors> {
    let mut empty = Vec::new();
    for source in sources {
        gathered.begin(&source.name);
        if read_source(source, &mut gathered) == Found::Nothing {
            empty.push(source.name.as_str());
        }
    }
    report_empty(&empty, sources.len(), &mut gathered);
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

/// The first object of a source as it is written, whatever it is: for who checks it later.
///
/// ```
/// # use wasmpod_manifest::{Source, read_value};
/// let source = Source { name: "map".to_owned(), bytes: b"data: {mode: 0400}".to_vec() };
/// assert_eq!(read_value(&source).unwrap(), serde_json::json!({ "data": { "mode": 256 } }));
/// ```
///
/// # Errors
/// What is wrong with the text, each with its place.
pub fn read_value(source: &Source) -> Result<serde_json::Value, LoadErrors> {
    let mut gathered = Gathered::default();
    gathered.begin(&source.name);
    let (documents, errors) = parse::documents(&source.bytes);
    for parse::SyntaxError { at, kind, message, hint } in errors {
        gathered.report.problem(kind, at, String::new(), message, hint);
    }
    let value = match documents.first().map(|document| decode(&document.root)) {
        Some(Ok(value)) => value,
        Some(Err(error)) => {
            let at = error.at.unwrap_or(Position::START);
            gathered.report.problem(ProblemKind::WrongType, at, String::new(), error.message, None);
            serde_json::Value::Null
        }
        None => serde_json::Value::Null,
    };
    let report = gathered.report;
    if report.problems.is_empty() {
        return Ok(value);
    }
    Err(LoadErrors { problems: report.problems, notes: report.notes })
}

/// What a source holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Objects, or what was meant to be some.
    Something,
    Nothing,
}

fn read_source(source: &Source, gathered: &mut Gathered) -> Found {
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
        Found::Nothing
    } else {
        Found::Something
    }
}

/// A file of comments beside others is no reason to stop; where there is nothing at all, a slip is
/// more likely than a wish to run nothing.
fn report_empty(empty: &[&str], sources: usize, gathered: &mut Gathered) {
    for source in empty {
        gathered.begin(source);
        let message = "there is no object in it".to_owned();
        if empty.len() == sources {
            gathered.report.about_source(ProblemKind::Empty, message);
        } else {
            let at = Position::START;
            gathered.report.note(at, String::new(), message);
        }
    }
}

/// A Deployment and a Job may share a name, but their Pods may not.
fn tell_namesakes_apart(pods: &mut [PodManifest]) {
    let mut taken = HashSet::new();
    for PodManifest { pod: Pod { metadata, .. }, origin, .. } in pods {
        if taken.insert((metadata.namespace.clone(), metadata.name.clone())) {
            continue;
        }
        if let Origin::Workload { kind, name } = origin {
            metadata.name = Some(format!("{name}-{}", kind.as_str().to_lowercase()));
            taken.insert((metadata.namespace.clone(), metadata.name.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(text: impl Into<Vec<u8>>) -> Source {
        Source { name: "pod.yaml".to_owned(), bytes: text.into() }
    }

    const POD: &str = "apiVersion: v1
kind: Pod
metadata:
  name: web
  labels: &labels {app: web}
spec:
  restartPolicy: Never
  containers:
  - name: a
    image: a
    command: [sh, -c, 'x']
    env: [{name: A, value: '1'}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    ports: [{containerPort: 80, name: http}]
    resources: {limits: {memory: 64Mi, cpu: 500m}}
    volumeMounts: [{name: v, mountPath: /v}]
    readinessProbe: {httpGet: {port: http}}
  volumes:
  - name: v
    configMap: {name: c, defaultMode: 0400}
";

    #[test]
    fn problems_are_told_up_to_a_bound() {
        let fields: String = (0..5000).map(|field| format!("  f{field}: 1\n")).collect();
        let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n{fields}");
        let problems = load(&[source(text)]).unwrap_err().problems;
        assert_eq!(problems.len(), 1001);
        assert_eq!(problems[1000].message, "more than 1000 problems: the rest is not told");
    }

    #[test]
    fn problems_come_in_the_order_of_sources_and_lines() {
        let bad = |name: &str| Source {
            name: name.to_owned(),
            bytes: b"apiVersion: v1\nkind: Pod\nspec: {y: 1}\nmetadata: {name: a, x: 1}\n".to_vec(),
        };
        let problems = load(&[bad("z.yaml"), bad("a.yaml")]).unwrap_err().problems;
        let places: Vec<_> =
            problems.iter().map(|problem| (problem.source.as_str(), problem.line)).collect();
        assert!(
            places.is_sorted_by_key(|(source, line)| (*source != "z.yaml", *line)),
            "{places:?}"
        );
    }

    #[test]
    fn an_empty_source_is_noted_beside_others() {
        let comment = Source { name: "a.yaml".to_owned(), bytes: b"# nothing\n".to_vec() };
        let manifest = load(&[comment.clone(), source(POD)]).unwrap();
        assert_eq!(manifest.notes[0].to_string(), "a.yaml:1:1: there is no object in it");
        let errors = load(&[source(""), comment]).unwrap_err();
        assert_eq!(
            errors.to_string(),
            "pod.yaml: there is no object in it\na.yaml: there is no object in it"
        );
        let list = "apiVersion: v1\nkind: List\nitems: []\n";
        assert_eq!(load(&[source(list)]), Ok(Manifest::default()));
    }

    #[test]
    fn no_sources_are_no_error() {
        assert_eq!(load(&[]), Ok(Manifest::default()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// One slip anywhere: never a panic, and every problem has its place.
        #[test]
        fn a_slip_is_read_or_refused(
            at in 0..POD.len(),
            length in 0_usize..12,
            new in "[-:{}\\[\\]&*<'\"|a0\n ]{0,4}",
        ) {
            let mut bytes = POD.as_bytes().to_vec();
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, new.bytes());
            if let Err(errors) = load(&[source(bytes)]) {
                prop_assert!(!errors.problems.is_empty());
                for problem in errors.problems {
                    prop_assert!(problem.line > 0 && problem.column > 0, "{problem}");
                    prop_assert!(problem.line <= 22, "{problem}");
                }
            }
        }

        /// Any value anywhere in the spec.
        #[test]
        fn any_value_is_read_or_refused(
            field in prop::sample::select(vec![
                "containers", "initContainers", "volumes", "hostAliases", "tolerations", "affinity",
                "securityContext", "resources", "dnsConfig", "os", "topologySpreadConstraints",
            ]),
            value in "[{\\[]{0,3}(name|image|env|key|a|0|null|~)?[:,]? ?[0-9a-z]{0,3}[}\\]]{0,3}",
        ) {
            let text = format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec:\n  {field}: {value}\n"
            );
            let _ = load(&[source(text)]);
        }

        /// Any value anywhere in a Service.
        #[test]
        fn any_value_of_a_service_is_read_or_refused(
            field in prop::sample::select(vec![
                "ports", "selector", "type", "clusterIP", "clusterIPs", "sessionAffinityConfig",
                "ipFamilies", "externalIPs", "externalName", "healthCheckNodePort",
            ]),
            value in "[{\\[]{0,2}(name|port|nodePort|targetPort|clientIP|a|0|null|None|10.96.0.5)?[:,]? ?[0-9a-z:.]{0,5}[}\\]]{0,2}",
        ) {
            let text = format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec:\n  {field}: {value}\n"
            );
            if let Err(errors) = load(&[source(text)]) {
                prop_assert!(errors.problems.iter().all(|problem| problem.line > 0));
            }
        }
    }
}
