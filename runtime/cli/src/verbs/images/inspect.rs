//! `wasmpod inspect`: what an image or a file holds.

use std::path::Path;
use std::process::ExitCode;

use wasmpod::image::{ImageSource, Meant};
use wasmpod_node::images::{Images, Inspected};

use super::{open, print};
use crate::args::Inspect;
use crate::compiler;
use crate::failure::Failure;

/// # Errors
/// There is no such image or file, or it is no WebAssembly.
pub(crate) fn inspect(verb: &Inspect, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let compiler = compiler::find().map_err(|error| Failure::because("cannot start", &error))?;
    // As an `image:` of a manifest in this folder means it; what is neither may be an ID.
    let inspected = match ImageSource::default().resolve(&verb.target) {
        Ok(Meant::File(file)) => Inspected::File(Images::inspect_file(&file, &compiler)?),
        Ok(Meant::Image(_)) | Err(_) => {
            Inspected::Image(Box::new(open(root)?.inspect(&verb.target, &compiler)?))
        }
    };
    print(&inspected, verb.output)?;
    Ok(ExitCode::SUCCESS)
}
