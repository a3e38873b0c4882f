//! Tables as text: the columns under their names in capitals.
//!
//! Rule: the table printer of cli-runtime, and the order of groups of `kubectl get`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::column::{Row, Table};
use crate::{escape, labels, tabs};

/// What `get` shows beside the plain table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// All columns: `-o wide`.
    pub wide: bool,
    /// The namespace before everything: `-A`.
    pub namespace: bool,
    /// All labels behind everything: `--show-labels`.
    pub show_labels: bool,
    /// A column for each of these labels: `-L`.
    pub label_columns: Vec<String>,
    /// No names over the columns: `--no-headers`.
    pub no_headers: bool,
}

/// A table among others in the output of one `get`.
#[derive(Clone, Copy, Debug)]
pub struct Group<'table> {
    /// What stands before the names, as in `pod/web`: where several kinds are shown. A kind outside
    /// the core group has its group with it: `deployment.apps`.
    pub prefix: Option<&'table str>,
    /// The objects.
    pub table: &'table Table,
    /// Whether the kind lives in namespaces; one that does not has no namespace to show.
    pub namespaced: bool,
}

/// The text of several tables, a blank line between them.
pub fn to_text(groups: &[Group<'_>], options: &TextOptions) -> String {
    let texts = groups.iter().map(|group| {
        let namespace = options.namespace && group.namespaced;
        text(group.table, group.prefix, &TextOptions { namespace, ..options.clone() })
    });
    let texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    texts.join(if options.no_headers { "" } else { "\n" })
}

/// What `get` says on standard error where there is nothing to show.
pub fn no_resources_found(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("No resources found in {namespace} namespace."),
        None => "No resources found".to_owned(),
    }
}

impl Table {
    /// The text of this table alone; empty where it has no rows.
    pub fn to_text(&self, options: &TextOptions) -> String {
        text(self, None, options)
    }
}

fn text(table: &Table, prefix: Option<&str>, options: &TextOptions) -> String {
    if table.rows.is_empty() {
        return String::new();
    }
    let header = (!options.no_headers).then(|| header(table, options));
    let rows = table.rows.iter().map(|row| line(table, row, prefix, options));
    let lines: Vec<String> = header.into_iter().chain(rows).collect();
    tabs::TABLE.align(&(lines.join("\n") + "\n"))
}

fn header(table: &Table, options: &TextOptions) -> String {
    let shown = table.columns.iter().filter(|column| options.wide || column.priority == 0);
    let mut names: Vec<String> = shown.map(|column| column.name.to_uppercase()).collect();
    if options.namespace {
        names.insert(0, "NAMESPACE".to_owned());
    }
    let last = |label: &String| label.rsplit('/').next().unwrap_or_default().to_uppercase();
    names.extend(options.label_columns.iter().map(last));
    if options.show_labels {
        names.push("LABELS".to_owned());
    }
    names.join("\t")
}

fn line(table: &Table, row: &Row, prefix: Option<&str>, options: &TextOptions) -> String {
    let metadata = &row.object["metadata"];
    let mut texts = Vec::new();
    if options.namespace {
        texts.push(cell(&metadata["namespace"]));
    }
    for (column, value) in table.columns.iter().zip(&row.cells) {
        if column.priority != 0 && !options.wide {
            continue;
        }
        match prefix {
            Some(prefix) if column.format == "name" => {
                texts.push(format!("{prefix}/{}", cell(value)));
            }
            Some(_) | None => texts.push(cell(value)),
        }
    }
    let labels = labels_of(metadata);
    let value = |label: &String| labels.get(label).cloned().unwrap_or_default();
    texts.extend(options.label_columns.iter().map(value));
    if options.show_labels {
        texts.push(labels::joined(Some(&labels)));
    }
    texts.join("\t")
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => escape::cell(text).into_owned(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn labels_of(metadata: &Value) -> BTreeMap<String, String> {
    let pairs = metadata["labels"].as_object().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
