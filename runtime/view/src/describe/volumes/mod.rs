//! The volumes of a Pod, each with its source.

mod foreign;
mod local;

use k8s_openapi::api::core::v1::Volume;

use super::claim;
use super::metadata::{LONGEST, shortened};
use super::sheet::Sheet;

/// A source as it is shown: what it is, and its fields with their names and all behind them.
struct Source {
    type_: &'static str,
    fields: Vec<(&'static str, String)>,
}

fn source<const COUNT: usize>(
    type_: &'static str,
    fields: [(&'static str, String); COUNT],
) -> Source {
    Source { type_, fields: fields.into() }
}

pub(super) fn describe(sheet: &mut Sheet, volumes: &[Volume]) {
    if volumes.is_empty() {
        return sheet.field(0, "Volumes", "<none>");
    }
    sheet.write(0, "Volumes:\n");
    for volume in volumes {
        sheet.write(1, format!("{}:\n", volume.name));
        let Some(source) = local::source(volume).or_else(|| foreign::source(volume)) else {
            sheet.write(1, "<unknown>\n");
            continue;
        };
        sheet.field(2, "Type", source.type_);
        for (name, value) in source.fields {
            sheet.write(2, format!("{name}\t{value}\n"));
        }
        rest(sheet, volume);
    }
}

/// What is no field with a value.
fn rest(sheet: &mut Sheet, volume: &Volume) {
    if let Some(downward) = &volume.downward_api {
        sheet.write(2, "Items:\n");
        for item in downward.items.iter().flatten() {
            let field = item.field_ref.as_ref().map(|field| &field.field_path);
            let resource = item.resource_field_ref.as_ref().map(|field| &field.resource);
            for from in field.into_iter().chain(resource) {
                sheet.write(3, format!("{from} -> {}\n", item.path));
            }
        }
    }
    if let Some(csi) = &volume.csi {
        attributes(sheet, csi.volume_attributes.iter().flatten().collect());
    }
    let template = volume.ephemeral.as_ref().and_then(|it| it.volume_claim_template.as_ref());
    if let Some(template) = template {
        sheet.nested(2, |sheet| claim::template(sheet, template));
    }
}

/// kubectl indents the attributes once more than it means to.
fn attributes(sheet: &mut Sheet, attributes: Vec<(&String, &String)>) {
    sheet.write(2, "VolumeAttributes:\t");
    if attributes.is_empty() {
        sheet.end_line("<none>");
    }
    for (at, (key, value)) in attributes.into_iter().enumerate() {
        if at > 0 {
            sheet.write(2, "");
            sheet.write(2, "\t");
        }
        sheet.write(2, shortened(&format!("{key}={value}"), LONGEST) + "\n");
    }
}

fn text(text: &Option<String>) -> String {
    text.clone().unwrap_or_default()
}

fn is(flag: Option<bool>) -> String {
    flag.unwrap_or_default().to_string()
}

/// A reference to a Secret as Go prints one.
fn secret(name: Option<&str>) -> String {
    name.map_or_else(|| "nil".to_owned(), |name| format!("&LocalObjectReference{{Name:{name},}}"))
}
