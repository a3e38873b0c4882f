//! From a fresh clone to a Pod in the browser.

use std::os::unix::process::CommandExt as _;

use crate::run::tool;
use crate::{build, guests};

pub(crate) const DEFAULT_PORT: &str = "8080";
const POD: &str = "guest-examples/kuard/pod.yaml";

/// Builds, then becomes `wasmpod run`, so that Ctrl-C and the exit code are wasmpod's own.
///
/// The build is the one for development: it takes half the time of the one that is shipped, and
/// the tests go on from it.
pub(crate) fn run(port: &str) -> Result<(), String> {
    let port: u16 = port.parse().map_err(|error| format!("--port {port}: {error}"))?;
    guests::build()?;
    let mut wasmpod = tool(build::development()?);
    wasmpod.args(["run", POD, "--publish", &format!("{port}:8080")]);
    println!("\nThe kuard Pod answers at http://localhost:{port}/ (Ctrl-C stops it)\n");
    Err(format!("cannot run wasmpod: {}", wasmpod.exec()))
}
