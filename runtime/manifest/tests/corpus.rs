//! Manifests that must be refused, each with all that is said of it, and manifests that must not.
//!
//! `invalid/` holds a file for each subject, a document for each mistake. The comments at the head
//! of a document are its problems, word for word and in order; a hint follows its problem,
//! indented. `# <-` at the end of a line says that the first problem is found there.

use std::fs;
use std::path::{Path, PathBuf};

use wasmpod_manifest::{LoadErrors, ProblemKind, Source, load};

/// One document and what is expected of it.
struct Case {
    /// The file and the number of the document in it, from 1.
    name: String,
    document: String,
    expected: Vec<String>,
    marked_line: Option<usize>,
}

fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let entries = fs::read_dir(&folder).expect("the corpus is part of the repository");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a folder that can be read").path())
        .map(|path| {
            let text = fs::read_to_string(&path).expect("manifests are text");
            (path, text)
        })
        .collect();
    files.sort();
    files
}

fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---\n").skip(1)
}

fn cases(folder: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for (path, text) in files(folder) {
        for (index, document) in documents(&text).enumerate() {
            let comments = document.lines().take_while(|line| line.starts_with("# "));
            let expected = comments.map(|line| line["# ".len()..].to_owned()).collect();
            let marked = document.lines().position(|line| line.ends_with("# <-"));
            cases.push(Case {
                name: format!("{}, document {}", path.display(), index + 1),
                document: document.to_owned(),
                expected,
                marked_line: marked.map(|index| index + 1),
            });
        }
    }
    cases
}

fn loaded(document: &str) -> Result<wasmpod_manifest::Manifest, LoadErrors> {
    load(&[Source { name: "pod.yaml".to_owned(), bytes: document.as_bytes().to_vec() }])
}

fn said(errors: &LoadErrors) -> Vec<String> {
    let mut said = Vec::new();
    for problem in &errors.problems {
        said.push(problem.message.clone());
        said.extend(problem.hint.iter().map(|hint| format!("  hint: {hint}")));
    }
    said
}

#[test]
fn every_mistake_is_said_in_kubernetes_own_words() {
    let cases = cases("invalid");
    assert!(cases.len() >= 250, "only {} manifests were found", cases.len());
    let mut failures = Vec::new();
    for case in &cases {
        let Err(errors) = loaded(&case.document) else {
            failures.push(format!("{}: was not refused", case.name));
            continue;
        };
        let said = said(&errors);
        if said != case.expected {
            let (expected, said) = (case.expected.join("\n  "), said.join("\n  "));
            failures.push(format!("{}\nexpected:\n  {expected}\nsaid:\n  {said}", case.name));
        }
        let line = errors.problems[0].line as usize;
        if case.marked_line.is_some_and(|marked| marked != line) {
            failures.push(format!("{}: line {:?}, said {line}", case.name, case.marked_line));
        }
        for problem in &errors.problems {
            // The kind that programs see is the kind that people read.
            if let ProblemKind::Invalid(kind) = problem.kind
                && !problem.message.starts_with(&format!("{}: {kind}", problem.path))
            {
                failures.push(format!("{}: {kind:?} but {}", case.name, problem.message));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn what_is_unusual_but_right_is_loaded() {
    let mut count = 0;
    for (path, text) in files("valid") {
        for (index, document) in documents(&text).enumerate() {
            if let Err(errors) = loaded(document) {
                panic!("{}, document {}:\n{errors}", path.display(), index + 1);
            }
            count += 1;
        }
    }
    assert!(count >= 30, "only {count} manifests were found");
}

#[test]
fn a_service_written_out_with_its_defaults_is_the_same() {
    let mut count = 0;
    for (path, text) in files("valid") {
        for document in documents(&text) {
            let services = loaded(document).expect("loaded above").services;
            for service in services {
                let written = serde_json::to_string(&service).expect("an object is JSON");
                match loaded(&written) {
                    Ok(again) => assert_eq!(again.services, [service], "{}", path.display()),
                    Err(errors) => panic!("{}:\n{errors}", path.display()),
                }
                count += 1;
            }
        }
    }
    assert!(count >= 10, "only {count} Services were found");
}
