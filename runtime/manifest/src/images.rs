//! `images.yaml`: which file an image's name stands for, so that a manifest made for a cluster
//! runs unchanged.
//!
//! ```yaml
//! images:
//!   registry.example/web:1.2: ./web.wasm
//! ```

use std::collections::BTreeMap;

use crate::node::{Entry, Position, Value};
use crate::parse;
use crate::problem::{LoadErrors, ProblemKind};
use crate::report::Report;
use crate::source::Source;

/// The name of the file. A folder of manifests that holds one is read without it.
pub const FILE_NAME: &str = "images.yaml";

/// The names of images with their files, as written.
///
/// # Errors
/// All that is wrong with the file, each with its place.
pub fn read(source: &Source) -> Result<BTreeMap<String, String>, LoadErrors> {
    let mut report = Report::default();
    report.begin(&source.name);
    let (documents, errors) = parse::documents(&source.bytes);
    for error in errors {
        report.problem(error.kind, error.at, String::new(), error.message, error.hint);
    }
    let mut images = BTreeMap::new();
    for document in documents {
        for duplicate in document.duplicates {
            let Position { line, column } = duplicate.first;
            let message =
                format!("{:?} stands here again, first at {line}:{column}", duplicate.key);
            report.problem(
                ProblemKind::DuplicateField,
                duplicate.second,
                duplicate.key,
                message,
                None,
            );
        }
        match document.root.value {
            Value::Null => {}
            Value::Mapping(entries) => {
                entries.into_iter().for_each(|entry| read_entry(entry, &mut images, &mut report));
            }
            other => wrong_type(&mut report, document.root.at, "", "a mapping", &other),
        }
    }
    if report.problems.is_empty() {
        return Ok(images);
    }
    Err(LoadErrors { problems: report.problems, notes: Vec::new() })
}

fn read_entry(entry: Entry, images: &mut BTreeMap<String, String>, report: &mut Report) {
    if entry.key != "images" {
        let message = format!("unknown field {:?}", entry.key);
        let hint = Some("the one field of this file is `images`".to_owned());
        report.problem(ProblemKind::UnknownField, entry.key_at, entry.key, message, hint);
        return;
    }
    let Value::Mapping(entries) = entry.value.value else {
        wrong_type(report, entry.value.at, "images", "a mapping", &entry.value.value);
        return;
    };
    for Entry { key, value, .. } in entries {
        match value.value {
            Value::String(file) if !file.is_empty() => {
                images.insert(key, file);
            }
            other => {
                let path = format!("images[{key}]");
                wrong_type(report, value.at, &path, "the path of a file", &other);
            }
        }
    }
}

fn wrong_type(report: &mut Report, at: Position, path: &str, expected: &str, found: &Value) {
    let message = format!("{path}: expected {expected}, found {}", found.kind());
    let message = message.trim_start_matches(": ").to_owned();
    report.problem(ProblemKind::WrongType, at, path.to_owned(), message, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<BTreeMap<String, String>, String> {
        let source = Source { name: "images.yaml".to_owned(), bytes: text.as_bytes().to_vec() };
        read(&source).map_err(|errors| errors.to_string())
    }

    #[test]
    fn names_stand_for_files() {
        let images = read_text("images:\n  a/b:1: ./b.wasm\n  c: d.wasm\n").unwrap();
        assert_eq!(images["a/b:1"], "./b.wasm");
        assert_eq!(images["c"], "d.wasm");
        assert_eq!(read_text("# nothing yet\n").unwrap().len(), 0);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        insta::assert_snapshot!(
            read_text("image:\n  a: b\nimages:\n  c: 1\n  d: [x]\n").unwrap_err(),
            @r#"
        images.yaml:1:1: unknown field "image"
            hint: the one field of this file is `images`
        images.yaml:4:6: images[c]: expected the path of a file, found a number
        images.yaml:5:6: images[d]: expected the path of a file, found a list
        "#
        );
        insta::assert_snapshot!(read_text("- a\n").unwrap_err(), @"images.yaml:1:1: expected a mapping, found a list");
    }
}
