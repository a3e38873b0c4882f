//! `wasmpod system prune`: removes what nothing needs.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_node::system::{self, Prune};

use super::ask;
use super::df::title;
use crate::args::SystemPrune;
use crate::failure::Failure;
use crate::print::{out, units};
use crate::verbs::objects::machine;

/// # Errors
/// The store cannot be read, or something cannot be removed.
pub(super) fn prune(verb: &SystemPrune, root: Option<&Path>) -> Result<ExitCode, Failure> {
    if !verb.force && !ask::is_sure(&what(verb)) {
        return Ok(ExitCode::SUCCESS);
    }
    let pods = machine::open(root)?;
    let pruned = system::prune(&pods, Prune { all: verb.all, volumes: verb.volumes })?;
    let mut last = None;
    for (kind, name) in &pruned.removed {
        if last.replace(kind) != Some(kind) {
            out::line(&format!("Deleted {}", title(*kind)));
        }
        out::line(name);
    }
    out::line(&format!("Total reclaimed space: {}", units::bytes(pruned.bytes)));
    Failure::last_of(pruned.problems.into_iter().map(Failure::new).collect())
}

fn what(verb: &SystemPrune) -> Vec<String> {
    let mut what = Vec::new();
    let mut add = |line: &str| what.push(line.to_owned());
    if verb.all {
        add("all Pods that have ended");
    }
    add("what Pods have left whose process was killed");
    add("logs of Pods that are no objects any more");
    if verb.volumes {
        add("the data of all claims that nothing names");
    }
    add(match verb.all {
        true => "all images that no Pod uses now",
        false => "images that have no name any more",
    });
    add(match verb.all {
        true => "all compiled code that no Pod uses now",
        false => "compiled code that was not used for a week",
    });
    what
}
