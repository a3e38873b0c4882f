//! Pods that go on when the command has ended: `--detach`, and `run NAME --image=IMAGE` as kubectl
//! has it.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::Persist;

use super::plan::Wanted;
use crate::args::{Namespace, Run};
use crate::failure::Failure;
use crate::print::out;
use crate::verbs::objects::create::{Making, make};
use crate::verbs::objects::{desired, machine};

/// Whether a command is not to wait for its Pods.
pub(super) fn is_wanted(verb: &Run) -> bool {
    let typed = &verb.imperative;
    let is_kubectls = typed.image.is_some() && verb.target.is_some();
    let stays = typed.attach || typed.stdin || typed.tty || typed.rm;
    verb.detach || (is_kubectls && !stays)
}

/// Makes the objects of a command, and starts the processes of its Pods.
///
/// # Errors
/// Something is there already, or is not valid. What could be made is made.
pub(super) fn run(verb: &Run, wanted: &Wanted, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let namespace = Namespace { namespace: verb.imperative.namespace.clone() };
    let desired = desired::of_sources(&wanted.sources, &namespace)?;
    let pods = machine::open(root)?;
    let count = desired.iter().filter(|one| one.resource == PODS).count();
    let making = Making { persist: Persist::Yes, options: &verb.options, pods: count };
    let mut failures = Vec::new();
    for one in desired {
        match make(&pods, &one, one.object.clone(), making) {
            Ok(object) => out::line(&format!("{} created", one.title_of(&object))),
            Err(failure) => failures.push(failure),
        }
    }
    machine::tell(&pods)?;
    Failure::last_of(failures)
}
