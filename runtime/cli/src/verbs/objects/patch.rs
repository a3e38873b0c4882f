//! `wasmpod patch`: changes fields of objects.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use wasmpod::manifest::Source;
use wasmpod_node::background::BackgroundPods;
use wasmpod_objects::store::{Part, PatchRequest, Update};
use wasmpod_view::resource_args::NoName;

use super::chosen::{self, Chosen, Missing};
use super::create::say;
use super::desired::title;
use super::{machine, resize};
use crate::args::{Patch, Selection, Subresource};
use crate::failure::Failure;

/// # Errors
/// What is named and not there; a patch that cannot be read, or breaks the rules of the API.
pub(crate) fn patch(verb: &Patch, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let patch = read(verb)?;
    let selection = Selection {
        targets: verb.targets.clone(),
        manifests: verb.manifests.clone(),
        namespace: verb.namespace.clone(),
        selector: None,
        field_selector: None,
        all_namespaces: false,
    };
    let wanted = chosen::wanted(&selection, NoName::Error, false)?;
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, Missing::Error)?;
    let mut failures = Vec::new();
    for one in std::mem::take(&mut found.objects) {
        match patched(&pods, verb, &one, &patch) {
            Ok(Patched { object, changed }) => {
                let done = if changed { "patched" } else { "patched (no change)" };
                say(&verb.told, &title(one.key.resource, &one.key.name), done, &object);
            }
            Err(failure) => failures.push(failure),
        }
    }
    machine::tell(&pods)?;
    failures.extend(std::mem::take(&mut found.missing));
    Failure::last_of(failures)
}

/// An object after a patch.
pub(super) struct Patched {
    pub(super) object: Value,
    /// Whether it was another before.
    pub(super) changed: bool,
}

fn patched(
    pods: &BackgroundPods,
    verb: &Patch,
    one: &Chosen,
    patch: &Value,
) -> Result<Patched, Failure> {
    let part = match verb.subresource {
        Some(Subresource::Resize) => return resize::resized(pods, verb, one, patch),
        Some(Subresource::Status) => Part::Status,
        None => Part::Object,
    };
    let request = PatchRequest { kind: verb.kind.kind(), patch, part };
    let update = Update { persist: verb.told.dry_run.persist(), ..Update::default() };
    let object = pods.store().patch(&one.key, request, update)?;
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    Ok(Patched { changed: version(&object) != version(&one.object), object })
}

/// The patch, in JSON or YAML.
fn read(verb: &Patch) -> Result<Value, Failure> {
    let (name, bytes) = match (&verb.patch, &verb.patch_file) {
        (Some(text), _) => ("--patch".to_owned(), text.clone().into_bytes()),
        (None, Some(path)) => {
            let read = std::fs::read(path);
            let bytes = read.map_err(|error| Failure::because(path.display(), &error))?;
            (path.display().to_string(), bytes)
        }
        (None, None) => {
            return Err(Failure::kubectl(
                "must specify --patch or --patch-file containing the contents of the patch",
            ));
        }
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::kubectl(format!("{name}: there is no patch in it")));
    }
    Ok(wasmpod::manifest::read_value(&Source { name, bytes })?)
}
