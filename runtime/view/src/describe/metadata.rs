//! Labels and annotations, one a line.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::sheet::Sheet;

/// Bytes of an annotation that are shown on one line.
pub(super) const LONGEST: usize = 140;

type Texts = Option<BTreeMap<String, String>>;

/// Name, namespace, labels and annotations: how most descriptions begin.
pub(super) fn opening(sheet: &mut Sheet, metadata: &ObjectMeta) {
    names(sheet, metadata);
    labels(sheet, "Labels", &metadata.labels);
    annotations(sheet, &metadata.annotations);
}

pub(super) fn names(sheet: &mut Sheet, metadata: &ObjectMeta) {
    sheet.field(0, "Name", metadata.name.as_deref().unwrap_or_default());
    sheet.field(0, "Namespace", metadata.namespace.as_deref().unwrap_or_default());
}

/// Labels, or a selector: `key=value`.
pub(super) fn labels(sheet: &mut Sheet, title: &str, labels: &Texts) {
    let lines: Vec<String> =
        labels.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
    list(sheet, title, &lines);
}

/// One line for each item, below each other behind the title.
pub(super) fn list(sheet: &mut Sheet, title: &str, lines: &[String]) {
    sheet.write(0, format!("{title}:\t"));
    if lines.is_empty() {
        sheet.end_line("<none>");
    }
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            // Each piece is indented anew where all is.
            sheet.write(0, "");
            sheet.write(0, "\t");
        }
        sheet.write(0, format!("{line}\n"));
    }
}

/// Annotations; long ones are cut, and those of several lines stand on lines of their own.
pub(super) fn annotations(sheet: &mut Sheet, annotations: &Texts) {
    const HIDDEN: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let shown: Vec<(&String, &String)> =
        annotations.iter().flatten().filter(|(key, _)| *key != HIDDEN).collect();
    sheet.write(0, "Annotations:\t");
    if shown.is_empty() {
        sheet.end_line("<none>");
    }
    for (at, (key, value)) in shown.into_iter().enumerate() {
        if at > 0 {
            sheet.write(0, "\t");
        }
        let value = value.strip_suffix('\n').unwrap_or(value);
        if key.len() + value.len() + 2 > LONGEST || value.contains('\n') {
            sheet.write(0, format!("{key}:\n"));
            for line in value.split('\n') {
                sheet.write(0, format!("\t  {}\n", shortened(line, LONGEST - 2)));
            }
        } else {
            sheet.write(0, format!("{key}: {value}\n"));
        }
    }
}

/// The text, cut to so many bytes, at the end of a character.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}...", &text[..end])
}
