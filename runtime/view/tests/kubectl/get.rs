//! `kubectl get`.

use std::io;

use jiff::Timestamp;
use serde_json::Value;
use wasmpod_view::output::{Format, Shown, without_managed_fields};
use wasmpod_view::resource_args::{Asked, ResourceType};
use wasmpod_view::sort_by::sort_by;
use wasmpod_view::table::{Group, Table, TextOptions, table, to_text};

use super::{Line, Server};

impl Server {
    pub(super) fn get(&self, line: &Line, now: Timestamp) -> String {
        let no_file = |_: &str| Err(io::ErrorKind::NotFound.into());
        let format = line.value("-o").unwrap_or_default();
        let format = Format::parse(format, line.has("--no-headers"), no_file).unwrap();
        let mut groups: Vec<(&ResourceType, Vec<Value>)> = Vec::new();
        let mut is_one = false;
        match self.asked(line) {
            Asked::Types(types) => {
                groups.extend(types.into_iter().map(|type_| (type_, self.of_type(type_))));
            }
            Asked::Named(named) => {
                is_one = named.len() == 1;
                for one in &named {
                    match groups.last_mut() {
                        Some((type_, objects)) if *type_ == one.type_ => {
                            objects.push(self.named(one));
                        }
                        _ => groups.push((one.type_, vec![self.named(one)])),
                    }
                }
            }
        }
        if let Some(path) = line.value("--sort-by") {
            for (_, objects) in &mut groups {
                *objects = sort_by(path, std::mem::take(objects)).unwrap();
            }
        }
        if matches!(format, Format::Table | Format::Wide) {
            return tables(&groups, format == Format::Wide, line, now);
        }
        let mut objects: Vec<Value> = groups.into_iter().flat_map(|(_, objects)| objects).collect();
        if !line.has("--show-managed-fields") {
            objects = objects.into_iter().map(without_managed_fields).collect();
        }
        let shown = match objects.as_slice() {
            [object] if is_one => Shown::One(object),
            objects => Shown::Several(objects),
        };
        format.print(shown).unwrap().unwrap()
    }
}

fn tables(
    groups: &[(&ResourceType, Vec<Value>)],
    wide: bool,
    line: &Line,
    now: Timestamp,
) -> String {
    let labels = line.value("-L").unwrap_or_default();
    let options = TextOptions {
        wide,
        namespace: line.has("-A"),
        show_labels: line.has("--show-labels"),
        label_columns: labels.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        no_headers: line.has("--no-headers"),
    };
    let built: Vec<(String, bool, Table)> = groups
        .iter()
        .map(|(type_, objects)| {
            (type_.prefix(), type_.namespaced, table(type_.group, type_.kind, objects, now))
        })
        .collect();
    let is_several = built.len() > 1;
    let groups: Vec<Group<'_>> = built
        .iter()
        .map(|(prefix, namespaced, table)| {
            let prefix = is_several.then_some(prefix.as_str());
            Group { prefix, table, namespaced: *namespaced }
        })
        .collect();
    to_text(&groups, &options)
}
