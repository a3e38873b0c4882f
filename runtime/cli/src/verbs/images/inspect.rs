//! `wasmpod inspect`: what an image or a file holds.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_node::images::{Images, Inspected};

use super::{open, print};
use crate::args::Inspect;
use crate::compiler;
use crate::failure::Failure;

/// # Errors
/// There is no such image or file, or it is no WebAssembly.
pub(crate) fn inspect(verb: &Inspect, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let compiler = compiler::find().map_err(|error| Failure::because("cannot start", &error))?;
    let inspected = if is_file(&verb.target) {
        Inspected::File(Images::inspect_file(Path::new(&verb.target), &compiler)?)
    } else {
        Inspected::Image(Box::new(open(root)?.inspect(&verb.target, &compiler)?))
    };
    print(&inspected, verb.output)?;
    Ok(ExitCode::SUCCESS)
}

/// As an `image:` of a manifest means a file.
fn is_file(target: &str) -> bool {
    ["/", "./", "../"].iter().any(|start| target.starts_with(start))
        || [".wasm", ".wat"].iter().any(|end| target.ends_with(end))
}
