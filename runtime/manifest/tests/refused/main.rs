//! Manifests that Kubernetes, or this runtime, refuses: for each the fields at fault and the kind
//! of error, and nothing besides.
//!
//! The cases are data, in `*.txt` beside this file. Each begins with its expectations, one a line:
//! `= PATH: KIND`. What follows is the manifest: a whole one, or the spec of a Pod in flow style,
//! or, after `metadata `, the metadata of one. Rules are those of the Kubernetes reference and of
//! `pkg/apis/core/validation`; the texts of the messages are tested where they are made.

use std::collections::BTreeSet;

use wasmpod_manifest::{Problem, ProblemKind, Source, load};

struct Case {
    line: usize,
    expected: Vec<String>,
    manifest: String,
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_manifest = true;
    for (line, number) in text.lines().zip(1..) {
        if let Some(expectation) = line.strip_prefix("= ") {
            if in_manifest {
                cases.push(Case { line: number, expected: Vec::new(), manifest: String::new() });
                in_manifest = false;
            }
            let case = cases.last_mut().expect("pushed before");
            case.expected.push(expectation.to_owned());
        } else if let Some(case) = cases.last_mut()
            && !line.starts_with("#")
        {
            in_manifest = true;
            case.manifest.push_str(line);
            case.manifest.push('\n');
        }
    }
    cases
}

fn whole(manifest: &str) -> String {
    if manifest.starts_with('{') {
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {manifest}")
    } else if let Some(metadata) = manifest.strip_prefix("metadata ") {
        format!(
            "apiVersion: v1\nkind: Pod\nspec: {{containers: [{{name: a, image: a}}]}}\nmetadata: {metadata}"
        )
    } else {
        manifest.to_owned()
    }
}

fn kind_of(problem: &Problem) -> String {
    match problem.kind {
        ProblemKind::Invalid(kind) => kind.to_string(),
        ProblemKind::Syntax => "Syntax".to_owned(),
        ProblemKind::Limit => "Limit".to_owned(),
        ProblemKind::Empty => "Empty".to_owned(),
        ProblemKind::UnknownKind => "Unknown kind".to_owned(),
        ProblemKind::WrongApiVersion => "Wrong version".to_owned(),
        ProblemKind::UnknownField => "Unknown field".to_owned(),
        ProblemKind::DuplicateField => "Duplicate field".to_owned(),
        ProblemKind::WrongType => "Wrong type".to_owned(),
        ProblemKind::NotSupported => "Not supported".to_owned(),
        ProblemKind::DuplicateObject => "Duplicate object".to_owned(),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn check(file: &str, text: &str) -> usize {
    let cases = cases(text);
    let mut wrong = Vec::new();
    for Case { line, expected, manifest } in &cases {
        let source = Source { name: "pod.yaml".to_owned(), bytes: whole(manifest).into_bytes() };
        let problems = load(&[source]).err().map_or_else(Vec::new, |errors| errors.problems);
        let found: BTreeSet<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.path, kind_of(problem)))
            .collect();
        let expected: BTreeSet<String> = expected.iter().cloned().collect();
        let placed = problems.iter().all(|problem| {
            problem.line > 0 && problem.column > 0 || problem.kind == ProblemKind::Empty
        });
        if found != expected || !placed {
            let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
            wrong.push(format!(
                "{file}:{line}\n  expected {expected:?}\n  found    {found:?}\n  {}",
                said.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    cases.len()
}

#[test]
fn containers() {
    check("containers.txt", include_str!("containers.txt"));
}

#[test]
fn metadata() {
    check("metadata.txt", include_str!("metadata.txt"));
}

#[test]
fn objects() {
    check("objects.txt", include_str!("objects.txt"));
}

#[test]
fn pods() {
    check("pods.txt", include_str!("pods.txt"));
}

#[test]
fn services() {
    check("services.txt", include_str!("services.txt"));
}

#[test]
fn volumes() {
    check("volumes.txt", include_str!("volumes.txt"));
}

#[test]
fn there_are_enough_of_them() {
    let all = [
        include_str!("containers.txt"),
        include_str!("metadata.txt"),
        include_str!("objects.txt"),
        include_str!("pods.txt"),
        include_str!("services.txt"),
        include_str!("volumes.txt"),
    ];
    let count: usize = all.iter().map(|text| cases(text).len()).sum();
    assert!(count >= 150, "{count}");
}
