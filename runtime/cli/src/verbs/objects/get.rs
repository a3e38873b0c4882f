//! `wasmpod get`: objects as a table, or in any other form.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::Resource;
use wasmpod_objects::resource::Scope;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::Revision;
use wasmpod_view::output::{Format, Shown, without_managed_fields};
use wasmpod_view::resource_args::NoName;
use wasmpod_view::sort_by::sort_by;
use wasmpod_view::table::{Group, Table, TextOptions, no_resources_found, table, to_text};

use super::chosen::{self, ByName, Chosen, Missing, Part, Wanted};
use super::machine;
use crate::args::Get;
use crate::failure::Failure;
use crate::print::{out, problem};

/// A watch looks at least so often: a process that died before it could say so has told nobody.
const LOOK: Duration = Duration::from_secs(1);

/// # Errors
/// What is named and not there; a format or a selector that cannot be read.
pub(crate) fn get(verb: &Get, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let format = format(verb.output.as_deref(), verb.no_headers)?;
    let wanted = chosen::wanted(&verb.selection, NoName::All, false)?;
    let pods = machine::open(root)?;
    let missing = if verb.ignore_not_found { Missing::Fine } else { Missing::Error };
    if verb.watch || verb.watch_only {
        return watch(verb, &format, &wanted, &pods);
    }
    let mut found = wanted.find(&pods, missing)?;
    let objects = std::mem::take(&mut found.objects);
    let page = Page { verb, format: &format, wanted: &wanted };
    page.print(objects, Headers::Shown)?;
    found.settle()?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the value of `-o`, and the file that it may name.
///
/// # Errors
/// In kubectl's words.
pub(super) fn format(output: Option<&str>, no_headers: bool) -> Result<Format, Failure> {
    let read = |path: &str| std::fs::read_to_string(path);
    Format::parse(output.unwrap_or_default(), no_headers, read)
        .map_err(|error| Failure::kubectl(error.to_string()))
}

/// Prints objects in a form that is no table.
///
/// # Errors
/// A template asks for what is not there.
pub(super) fn print(format: &Format, shown: Shown<'_>) -> Result<(), Failure> {
    let text = format.print(shown).map_err(|error| Failure::kubectl(error.to_string()))?;
    out::text(&text.unwrap_or_default());
    Ok(())
}

/// How objects come out.
struct Page<'verb> {
    verb: &'verb Get,
    format: &'verb Format,
    wanted: &'verb Wanted,
}

/// Whether a table has its column names above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Headers {
    Shown,
    /// They were shown before.
    Hidden,
}

impl Page<'_> {
    fn print(&self, mut objects: Vec<Chosen>, headers: Headers) -> Result<(), Failure> {
        if !self.verb.show_managed_fields {
            for one in &mut objects {
                one.object = without_managed_fields(std::mem::take(&mut one.object));
            }
        }
        match self.format {
            Format::Table | Format::Wide => self.table(objects, headers),
            format => {
                let values = objects.into_iter().map(|one| one.object).collect();
                let values = self.sorted(values)?;
                let is_one = self.wanted.by_name == ByName::Yes && self.wanted.asked.len() == 1;
                let shown = match values.as_slice() {
                    [] if is_one => return Ok(()),
                    [one] if is_one => Shown::One(one),
                    several => Shown::Several(several),
                };
                print(format, shown)
            }
        }
    }

    fn sorted(&self, objects: Vec<Value>) -> Result<Vec<Value>, Failure> {
        match &self.verb.sort_by {
            None => Ok(objects),
            Some(path) => {
                sort_by(path, objects).map_err(|error| Failure::kubectl(error.to_string()))
            }
        }
    }

    fn table(&self, objects: Vec<Chosen>, headers: Headers) -> Result<(), Failure> {
        let now = Timestamp::now();
        let mut kinds: Vec<(Resource, Vec<Value>)> = Vec::new();
        for one in objects {
            let resource = one.key.resource;
            match kinds.iter_mut().find(|(known, _)| *known == resource) {
                Some((_, all)) => all.push(one.object),
                None => kinds.push((resource, vec![one.object])),
            }
        }
        if kinds.is_empty() && self.wanted.by_name == ByName::No && !self.verb.watch {
            let namespace = (!self.wanted.all_namespaces).then_some(self.wanted.namespace.as_str());
            problem::plain(&no_resources_found(namespace));
            return Ok(());
        }
        let mut tables: Vec<(Resource, Table)> = Vec::new();
        for (resource, objects) in kinds {
            let objects = self.sorted(objects)?;
            tables.push((resource, table(resource.group, resource.kind, &objects, now)));
        }
        let several = self.asked_kinds() > 1 || self.verb.show_kind;
        let prefixes: Vec<String> =
            tables.iter().map(|(resource, _)| resource.kind.to_lowercase()).collect();
        let groups: Vec<Group<'_>> = tables
            .iter()
            .zip(&prefixes)
            .map(|((resource, table), prefix)| Group {
                prefix: several.then_some(prefix.as_str()),
                table,
                namespaced: resource.scope == Scope::Namespaced,
            })
            .collect();
        let options = TextOptions {
            wide: *self.format == Format::Wide,
            namespace: self.wanted.all_namespaces,
            show_labels: self.verb.show_labels,
            label_columns: self.verb.label_columns.clone(),
            no_headers: self.verb.no_headers || headers == Headers::Hidden,
        };
        out::text(&to_text(&groups, &options));
        Ok(())
    }

    fn asked_kinds(&self) -> usize {
        let mut kinds: Vec<&Resource> = self.wanted.asked.iter().map(Part::resource).collect();
        kinds.dedup();
        kinds.len()
    }
}

impl Part {
    pub(super) fn resource(&self) -> &Resource {
        match self {
            Self::Kind(resource, _) => resource,
            Self::One(key) => &key.resource,
        }
    }

    fn selectors(&self) -> Selection {
        match self {
            Self::Kind(_, selectors) => selectors.clone(),
            Self::One(_) => Selection::default(),
        }
    }
}

/// Shows what there is, and then every change; ends when nobody reads any more.
fn watch(
    verb: &Get,
    format: &Format,
    wanted: &Wanted,
    pods: &BackgroundPods,
) -> Result<ExitCode, Failure> {
    let [part] = wanted.asked.as_slice() else {
        return Err(Failure::kubectl(
            "you may only specify a single resource type or object with --watch",
        ));
    };
    let page = Page { verb, format, wanted };
    let found = wanted.find(pods, Missing::Error)?;
    let mut revision = found.revision;
    let mut headers = Headers::Shown;
    if !verb.watch_only && !found.objects.is_empty() {
        page.print(found.objects.clone(), headers)?;
        headers = Headers::Hidden;
    }
    found.settle()?;
    let mut watcher = pods.store().watcher();
    let selectors = part.selectors();
    loop {
        let changes = pods.store().changes_since(
            revision,
            *part.resource(),
            wanted.namespaces(),
            &selectors,
        )?;
        for change in changes.changes {
            let key = chosen::key_of(*part.resource(), &change.object);
            if matches!(part, Part::One(one) if *one != key) {
                continue;
            }
            let one = Chosen { key, object: change.object };
            page.print(vec![one], headers)?;
            headers = Headers::Hidden;
        }
        if out::is_closed() {
            return Ok(ExitCode::SUCCESS);
        }
        let read_to: Revision = changes.revision;
        revision = read_to;
        if watcher.wait(revision, LOOK)? == revision {
            // Nothing has changed that anybody told of: a killed process tells nothing.
            pods.mend()?;
        }
    }
}
