//! `wasmpod diff`: what `apply` would change.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use wasmpod_objects::store::Persist;
use wasmpod_view::output::{to_yaml, without_managed_fields};

use super::{desired, machine};
use crate::args::Diff;
use crate::failure::Failure;

/// Ends with 0 where nothing would be changed, with 1 where something would.
///
/// # Errors
/// Something is not valid, or the program that compares cannot be run.
pub(crate) fn diff(verb: &Diff, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let desired = desired::read(&verb.manifests.filenames, &verb.namespace)?;
    let pods = machine::open(root)?;
    let folder = std::env::temp_dir().join(format!("wasmpod-diff-{}", wasmpod::pod::new_uid()));
    let failed = |error: std::io::Error| Failure::because(folder.display(), &error);
    let (live, merged) = (folder.join("LIVE"), folder.join("MERGED"));
    for side in [&live, &merged] {
        fs::create_dir_all(side).map_err(failed)?;
    }
    let mut outcome = Ok(());
    for one in &desired {
        let name = format!("v1.{}.{}.{}", one.resource.kind, one.key().namespace, one.key().name);
        outcome = outcome.and_then(|()| {
            let before = match pods.store().get(&one.key()) {
                Ok(object) => to_yaml(&without_managed_fields(object)),
                Err(error) if error.is_not_found() => String::new(),
                Err(error) => return Err(error.into()),
            };
            let after = pods.store().apply(
                one.resource,
                &one.key().namespace,
                &one.object,
                Persist::DryRun,
            )?;
            fs::write(live.join(&name), before).map_err(failed)?;
            fs::write(merged.join(&name), to_yaml(&without_managed_fields(after.1))).map_err(failed)
        });
    }
    let compared = outcome.and_then(|()| compare(&live, &merged));
    // Secrets may be in it.
    drop(fs::remove_dir_all(&folder));
    compared
}

/// Rule: `KUBECTL_EXTERNAL_DIFF`, else `diff -u -N`.
fn compare(live: &Path, merged: &Path) -> Result<ExitCode, Failure> {
    let words = std::env::var("KUBECTL_EXTERNAL_DIFF").unwrap_or_default();
    let mut words = words.split_whitespace();
    let program = words.next().unwrap_or("diff");
    let mut command = Command::new(program);
    let own: Vec<&str> = words.collect();
    if program == "diff" && own.is_empty() {
        command.args(["-u", "-N"]);
    }
    let status = command.args(own).arg("-r").arg(live).arg(merged).status();
    let status = status.map_err(|error| Failure::because(program, &error))?;
    match status.code() {
        Some(0) => Ok(ExitCode::SUCCESS),
        Some(1) => Ok(ExitCode::FAILURE),
        _ => Err(Failure::new(format!("{program} has failed: {status}"))),
    }
}
