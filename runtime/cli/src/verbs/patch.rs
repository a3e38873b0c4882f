//! `wasmpod patch pod NAME --subresource resize`: other resources for a Pod that runs.

use std::path::Path;
use std::process::ExitCode;

use serde_json::Value;
use wasmpod::pod::{Folders, PatchKind};
use wasmpod_node::ledger::Ledger;
use wasmpod_node::podprocess::{ClientError, PodClient};

use super::stats::Choice;
use crate::args::{OutputFormat, Patch, PatchType};
use crate::failure::Failure;
use crate::print::json;

/// # Errors
/// What is not supported, a Pod that is not there, a patch that breaks the rules of the API.
pub(crate) fn patch(verb: &Patch, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let name = pod_name(&verb.target)?;
    match verb.subresource.as_deref() {
        Some("resize") => {}
        Some(other) => {
            return Err(Failure::new(format!("the subresource {other:?} cannot be patched"))
                .hint("`--subresource resize` is the only one"));
        }
        None => {
            return Err(Failure::new("a Pod that runs cannot be changed but for its resources")
                .hint("add `--subresource resize`"));
        }
    }
    let kind = match verb.kind {
        PatchType::Strategic => PatchKind::Strategic,
        PatchType::Merge => PatchKind::Merge,
        PatchType::Json => {
            return Err(Failure::new("patches of the type `json` (RFC 6902) are not supported")
                .hint("`--type strategic` or `--type merge`"));
        }
    };
    let patch: Value = serde_json::from_str(&verb.patch)
        .map_err(|error| Failure::because("`--patch` is no JSON", &error))?;

    let folders = Folders::find(root).map_err(|error| Failure::because("cannot look", &error))?;
    let ledger = Ledger::new(&folders);
    let pods = ledger.pods();
    let namespace = verb.namespace.clone().unwrap_or_else(|| "default".to_owned());
    let choice = Choice::new(Some(namespace), std::slice::from_ref(&name));
    let chosen = choice.of(pods.iter().map(|pod| &**pod));
    let pod = match chosen.as_slice() {
        [] => return Err(Failure::new(format!("pods {name:?} not found"))),
        [one] => one,
        [_, _, ..] => {
            let why = format!("{} Pods are called {name:?}", chosen.len());
            return Err(Failure::new(why).hint("give each a name of its own"));
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::because("cannot patch", &error))?;
    let patched = runtime.block_on(PodClient::new(&pod.socket).resize(&patch, kind));
    let patched = patched.map_err(|error| match error {
        // The API's own words stand alone.
        ClientError::Refused { message, .. } => Failure::new(message),
        other => Failure::because(format!("pods {name:?}"), &other),
    })?;
    let change = if patched.changed { "patched" } else { "patched (no change)" };
    match verb.output {
        None => text(&format!("pod/{name} {change}")),
        Some(OutputFormat::Name) => text(&format!("pod/{name}")),
        Some(OutputFormat::Json) => {
            let pod = serde_json::to_value(&patched.pod);
            json::line(&pod.map_err(|error| Failure::because("the Pod", &error))?);
        }
        Some(OutputFormat::Yaml) => {
            let pod = serde_saphyr::to_string(&patched.pod);
            text(pod.map_err(|error| Failure::because("the Pod", &error))?.trim_end());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A reader that has gone away ends the output quietly.
fn text(line: &str) {
    use std::io::Write as _;
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// `pod web`, `pods/web`.
fn pod_name(target: &[String]) -> Result<String, Failure> {
    let parts: Vec<&str> = match target {
        [one] => one.splitn(2, '/').collect(),
        several => several.iter().map(String::as_str).collect(),
    };
    match parts.as_slice() {
        ["pod" | "pods" | "po", name] if !name.is_empty() => Ok((*name).to_owned()),
        [kind, _] => {
            Err(Failure::new(format!("{kind:?} cannot be patched"))
                .hint("only Pods can: `pod NAME`"))
        }
        _ => Err(Failure::new("the name of the Pod is missing").hint("`pod NAME` or `pod/NAME`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named_as_for_kubectl() {
        let name = |target: &[&str]| {
            let target: Vec<String> = target.iter().map(|word| (*word).to_owned()).collect();
            pod_name(&target).ok()
        };
        for target in [&["pod", "web"][..], &["pods/web"], &["po", "web"]] {
            assert_eq!(name(target).as_deref(), Some("web"), "{target:?}");
        }
        for target in [&["web"][..], &["pod"], &["pod/"], &["service", "web"]] {
            assert_eq!(name(target), None, "{target:?}");
        }
    }
}
