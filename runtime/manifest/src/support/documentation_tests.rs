//! The text is what the sources of `k8s-openapi` say, for every type of the table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::documentation::of_type;
use super::explain::KINDS;
use crate::schema::{Object, Shape};

/// Every type that a field of the table may have, by its name.
fn types() -> BTreeMap<&'static str, &'static Object> {
    let mut found = BTreeMap::new();
    KINDS.iter().for_each(|kind| gather(kind, &mut found));
    found
}

fn gather(object: &'static Object, found: &mut BTreeMap<&'static str, &'static Object>) {
    if found.insert(object.name, object).is_none() {
        object.fields.iter().for_each(|field| gather_shape(&field.shape, found));
    }
}

fn gather_shape(shape: &'static Shape, found: &mut BTreeMap<&'static str, &'static Object>) {
    match shape {
        Shape::Object(object) => gather(object, found),
        Shape::List(item) | Shape::Map(item) => gather_shape(item, found),
        Shape::KeyedMap(keys) => gather_shape(&keys.shape, found),
        Shape::Bool
        | Shape::Int32
        | Shape::Int64
        | Shape::String
        | Shape::Quantity
        | Shape::IntOrString
        | Shape::Time
        | Shape::Bytes
        | Shape::Any => {}
    }
}

#[test]
fn every_field_is_described() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/support/documentation.txt");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text()).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    for (name, object) in types() {
        let head = format!("{name}\n");
        assert!(
            committed.starts_with(&head) || committed.contains(&format!("\n{head}")),
            "{name} is not described: UPDATE_DOCS=1 cargo test -p wasmpod-manifest support"
        );
        if std::env::var_os("UPDATE_DOCS").is_some() {
            continue;
        }
        let documented = of_type(name).unwrap();
        for field in object.fields {
            assert!(documented.field(field.name).is_some(), "{name}.{}", field.name);
        }
    }
}

/// The text, from the sources of `k8s-openapi`.
fn text() -> String {
    let sources = sources();
    let mut text = String::new();
    for name in types().into_keys() {
        let Some(source) = sources.get(name) else { panic!("k8s-openapi has no {name}") };
        let schema = Schema::read(source);
        writeln!(text, "{name}").unwrap();
        indent(&schema.description, &mut text);
        for (field, description) in &schema.fields {
            let mark = if schema.required.contains(field) { "!" } else { "" };
            writeln!(text, ".{field}{mark}").unwrap();
            indent(description, &mut text);
        }
    }
    text
}

fn indent(description: &str, text: &mut String) {
    for line in description.lines() {
        writeln!(text, "\t{}", line.trim_end()).unwrap();
    }
}

/// The source of each type of the API groups that manifests use.
fn sources() -> BTreeMap<String, String> {
    let crate_folder = k8s_openapi();
    let mut sources = BTreeMap::new();
    // Where two groups have a type of one name, the later one is meant.
    for folder in [
        "api/scheduling/v1alpha3",
        "apimachinery/pkg/apis/meta/v1",
        "api/apps/v1",
        "api/batch/v1",
        "api/core/v1",
    ] {
        let folder = crate_folder.join("src/v1_37").join(folder);
        for entry in std::fs::read_dir(&folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let name = source.lines().find_map(|line| line.strip_prefix("pub struct "));
            let name = name.map(|rest| rest.trim_end_matches(['{', ' ', ';']).to_owned());
            if let Some(name) = name {
                sources.insert(name, source);
            }
        }
    }
    sources
}

fn k8s_openapi() -> PathBuf {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "k8s-openapi").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    manifest.parent().unwrap().to_owned()
}

/// What the implementation of `JsonSchema` in a source says.
#[derive(Default)]
struct Schema {
    description: String,
    fields: Vec<(String, String)>,
    required: Vec<String>,
}

impl Schema {
    fn read(source: &str) -> Self {
        let mut schema = Self::default();
        let (_, body) = source.split_once("fn json_schema(").expect("a schema");
        let mut part = "";
        for line in body.lines() {
            let depth = line.len() - line.trim_start().len();
            let line = line.trim();
            match (depth, part) {
                (12, _) if line.starts_with("\"description\": ") => {
                    schema.description = literal(line);
                }
                (12, _) if line.starts_with("\"properties\"") => part = "properties",
                (12, _) if line.starts_with("\"required\"") => part = "required",
                (12, _) => part = "",
                (16, "properties") if line.starts_with('"') => {
                    let name = line.split('"').nth(1).expect("quoted");
                    schema.fields.push((name.to_owned(), String::new()));
                }
                (16, "required") => schema.required.push(line.trim_matches(['"', ',']).to_owned()),
                (20, "properties") => {
                    let described = line.strip_prefix("\"description\": ").or_else(|| {
                        line.split_once("insert(\"description\".into(), ").map(|(_, rest)| rest)
                    });
                    if let (Some(described), Some((_, last))) =
                        (described, schema.fields.last_mut())
                    {
                        *last = literal(described);
                    }
                }
                _ => {}
            }
        }
        schema
    }
}

/// The first text in quotes of a line of Rust, behind the name of a field if there is one.
fn literal(line: &str) -> String {
    let line = line.strip_prefix("\"description\": ").unwrap_or(line);
    let inside = line.strip_prefix('"').expect("a literal");
    let mut text = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push(' '),
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}
