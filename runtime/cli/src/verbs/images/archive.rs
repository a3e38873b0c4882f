//! `wasmpod save` and `wasmpod load`: images as one file.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;

use super::open;
use crate::args::{Load, Save};
use crate::failure::Failure;
use crate::print::out;

/// # Errors
/// An image is not there, or nothing can be written.
pub(crate) fn save(verb: &Save, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let images = open(root)?;
    match &verb.output {
        Some(path) => images.save_to(&verb.references, path)?,
        None if io::stdout().is_terminal() => {
            return Err(Failure::new("an archive is nothing for a terminal")
                .hint("name a file with -o, or redirect the output"));
        }
        None => images.save(&verb.references, BufWriter::new(io::stdout().lock()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// It is no archive, or holds what cannot run here.
pub(crate) fn load(verb: &Load, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let images = open(root)?;
    let names = match &verb.input {
        Some(path) => {
            let file = File::open(path);
            images.load(
                file.map_err(|error| Failure::podman(format!("{}: {error}", path.display())))?,
            )?
        }
        None if io::stdin().is_terminal() => {
            return Err(Failure::new("an archive does not come from a terminal")
                .hint("name a file with -i, or redirect the input"));
        }
        None => images.load(io::stdin().lock())?,
    };
    names.iter().for_each(|name| out::line(&format!("Loaded image: {name}")));
    Ok(ExitCode::SUCCESS)
}
