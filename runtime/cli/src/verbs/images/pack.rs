//! `wasmpod image pack`: an image of a program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasmpod_node::images::{Form, Pack, Problem};

use super::open;
use crate::args::{ImagePack, PackForm};
use crate::failure::Failure;
use crate::print::out;

/// By this variable, builds say when what they make was made.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// # Errors
/// The files make no image.
pub(super) fn pack(verb: &ImagePack, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let images = open(root)?;
    let mut pack = Pack::new(&verb.module).form(form(verb));
    if let Some(epoch) = std::env::var(EPOCH).ok().filter(|epoch| !epoch.is_empty()) {
        pack = pack.source_date_epoch(&epoch).map_err(Problem::from)?;
    }
    for (name, value) in &verb.env {
        pack = pack.env(name, value);
    }
    for (name, value) in &verb.label {
        pack = pack.label(name, value);
    }
    for port in &verb.expose {
        pack = pack.expose(*port);
    }
    for argument in &verb.arguments {
        pack = pack.argument(argument);
    }
    if let Some(folder) = &verb.workdir {
        pack = pack.working_dir(folder);
    }
    for file in &verb.files {
        let (from, to) = places(file);
        pack = pack.file(from, to);
    }
    out::line(&images.pack(&pack, &verb.tag)?.to_string());
    Ok(ExitCode::SUCCESS)
}

/// An artifact, unless there is something that it cannot have.
fn form(verb: &ImagePack) -> Form {
    match verb.form {
        Some(PackForm::Artifact) => Form::Artifact,
        Some(PackForm::Container) => Form::Container,
        None => {
            let is_plain = verb.files.is_empty()
                && verb.env.is_empty()
                && verb.arguments.is_empty()
                && verb.expose.is_empty()
                && verb.workdir.is_none();
            if is_plain { Form::Artifact } else { Form::Container }
        }
    }
}

/// `FILE[:PLACE]`
fn places(text: &str) -> (PathBuf, PathBuf) {
    match text.rsplit_once(':') {
        Some((from, to)) if !to.is_empty() => (from.into(), to.into()),
        _ => {
            let from = PathBuf::from(text);
            let to = PathBuf::from(from.file_name().unwrap_or(OsStr::new("/")));
            (from, to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_where_it_is_said_or_into_the_root() {
        for (text, from, to) in [
            ("public:/srv/public", "public", "/srv/public"),
            ("a/b.txt", "a/b.txt", "b.txt"),
            ("a:b:c", "a:b", "c"),
        ] {
            assert_eq!(places(text), (from.into(), to.into()), "{text}");
        }
    }
}
