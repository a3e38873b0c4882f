//! `wasmpod validate`: says what is wrong with manifests; runs nothing.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use wasmpod::manifest::Manifest;

use super::manifests;
use crate::args::Validate;
use crate::failure::Failure;
use crate::print::{json, problem};

pub(crate) fn validate(verb: &Validate) -> Result<ExitCode, Failure> {
    let paths: Vec<PathBuf> = verb.files.iter().chain(&verb.manifests.filenames).cloned().collect();
    if paths.is_empty() {
        return Err(Failure::new("no manifest is named")
            .hint("`wasmpod validate pod.yaml`, a folder, or `-` for standard input"));
    }
    let (result, code) = match manifests::load(&paths) {
        Ok(manifest) => (Ok(manifest), ExitCode::SUCCESS),
        Err(Failure::Manifest(errors)) => (Err(errors), Failure::EXIT_CODE.into()),
        Err(failure) => return Err(failure),
    };
    if verb.output.is_some() {
        let (problems, notes) = match &result {
            Ok(manifest) => (&[][..], &manifest.notes),
            Err(errors) => (&errors.problems[..], &errors.notes),
        };
        json::problems(problems, notes);
        return Ok(code);
    }
    match result {
        Ok(manifest) => {
            if !verb.quiet {
                manifest.notes.iter().for_each(|note| problem::note(&note.to_string()));
                print(&manifest).map_err(|error| Failure::because("standard output", &error))?;
            }
        }
        Err(errors) => {
            problem::report(&errors.problems, if verb.quiet { &[] } else { &errors.notes })
        }
    }
    Ok(code)
}

/// One line an object, `pod/web valid`.
fn print(manifest: &Manifest) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let pods = manifest.pods.iter().map(|pod| ("pod", pod.pod.metadata.name.as_deref()));
    let config_maps =
        manifest.config_maps.iter().map(|map| ("configmap", map.metadata.name.as_deref()));
    let secrets = manifest.secrets.iter().map(|secret| ("secret", secret.metadata.name.as_deref()));
    let claims = manifest
        .persistent_volume_claims
        .iter()
        .map(|claim| ("persistentvolumeclaim", claim.metadata.name.as_deref()));
    let services =
        manifest.services.iter().map(|service| ("service", service.metadata.name.as_deref()));
    for (kind, name) in pods.chain(services).chain(config_maps).chain(secrets).chain(claims) {
        writeln!(out, "{kind}/{} valid", name.unwrap_or_default())?;
    }
    Ok(())
}
