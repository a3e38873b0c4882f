//! The objects and Pods of this machine, as a verb finds them.

use std::ffi::OsString;
use std::path::Path;

use wasmpod::pod::Folders;
use wasmpod_node::background::{BackgroundPods, Starter};

use crate::failure::Failure;
use crate::print::problem;
use crate::registry;
use crate::verbs::run;

/// How this program is called to be the process of a Pod, and that of Services.
const POD: &str = "background-pod";
const SERVICES: &str = "service-process";

/// Opens the store, and sees first to what killed processes have left: what is shown must be true.
///
/// # Errors
/// The store cannot be opened.
pub(crate) fn open(root: Option<&Path>) -> Result<BackgroundPods, Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot look", &error))?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::because("this program cannot be found", &error))?;
    let mut arguments: Vec<OsString> = Vec::new();
    if root.is_some() {
        // The process works in another folder.
        arguments.extend(["--root".into(), folders.root().into()]);
    }
    arguments.extend(registry::arguments());
    let starter = Starter { program, arguments, pod: POD, services: SERVICES };
    let pods = BackgroundPods::open(&folders, starter)?;
    if let Err(error) = pods.mend() {
        problem::warning(&format!("what a killed Pod has left: {}", wasmpod::error::chain(&error)));
    }
    Ok(pods)
}

/// Tells the processes of Pods and of Services what a verb has changed; to be called when it has. They find it in any case.
///
/// # Errors
/// The store fails.
pub(crate) fn tell(pods: &BackgroundPods) -> Result<(), Failure> {
    Ok(run::runtime()?.block_on(pods.tell())?)
}
