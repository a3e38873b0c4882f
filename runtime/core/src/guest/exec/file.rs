//! A WebAssembly file of the container as a command.
//!
//! Where it is looked for is what a shell does: a word with a slash is a path, from `workingDir` if it
//! is a relative one; any other is sought in the folders of the container's `PATH`. The suffix
//! `.wasm` may be left out: a file that has it comes before one that does not. What is found is opened
//! as a guest would, below the container's mounts.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::loader::{Loader, Unfit};
use crate::executor::Blocking;
use crate::guest::program::{PrepareError, Program};
use crate::guest::run::RunSpec;
use crate::image::{GuestKind, ImageError, ImageFile};
use crate::sandbox::filesystem::{guest_files, open_guest_file};

/// Where commands are in a container that says nothing about it.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

const SUFFIX: &str = ".wasm";
const TEXT_SUFFIX: &str = ".wat";

/// So much of a file is looked at for who reads it.
const SCRIPT: usize = 128;

/// So many names on the `PATH` are told of, and so many files are looked at for them.
const NAMES: usize = 20;
const LOOKED_AT: usize = 1000;

/// A file of the container that may be a command.
pub(super) struct Found {
    path: String,
    file: File,
}

/// The file that `word` names among those of the container, if there is one.
///
/// # Errors
/// Why it is not known whether there is one.
///
/// # Cancel safety
/// Safe: it looks and leaves nothing.
pub(super) async fn find(
    blocking: Blocking,
    spec: &RunSpec,
    word: &str,
) -> Result<Option<Found>, String> {
    let paths = candidates(word, spec.cwd.as_deref(), path_of(&spec.env));
    let is_path = word.contains('/');
    let mounts = spec.mounts.clone();
    let look = move || {
        let mut problem = None;
        for path in paths {
            let file = open_guest_file(&mounts, &path).and_then(|file| {
                let Some(file) = file else { return Ok(None) };
                // A path means its file, whatever that is; the PATH has native programs too.
                let is_meant = is_path || is_named(&path) || is_binary(&file)?;
                Ok(is_meant.then_some(file))
            });
            match file {
                Ok(Some(file)) => return Ok(Some(Found { path, file })),
                Ok(None) => {}
                // As a shell has it: the next folder may have one that can be opened.
                Err(error) => {
                    problem.get_or_insert_with(|| format!("{path} cannot be opened: {error}"));
                }
            }
        }
        problem.map_or(Ok(None), Err)
    };
    let looked = blocking.spawn(look).await;
    looked.unwrap_or_else(|panic| Err(format!("the container's files cannot be read: {panic}")))
}

impl Found {
    /// The name of the program that reads it, and its path, if it is a script that says so (`#!/bin/sh`,
    /// `#!/usr/bin/env sh`).
    pub(super) fn script(&self) -> Option<(String, String)> {
        let mut start = [0; SCRIPT];
        let length = self.file.read_at(&mut start, 0).ok()?;
        let start = String::from_utf8_lossy(&start[..length]).into_owned();
        let line = start.strip_prefix("#!")?.lines().next()?;
        let mut words = line.split_whitespace();
        let names = words.by_ref().map(|word| word.rsplit('/').next().unwrap_or(word));
        let name = names.into_iter().find(|name| *name != "env")?;
        Some((name.to_owned(), self.path.clone()))
    }

    /// The program in it.
    ///
    /// # Errors
    /// Why it cannot be run.
    ///
    /// # Cancel safety
    /// As [`Loader::command`].
    pub(super) async fn program(self, loader: &Loader) -> Result<Program, String> {
        let Self { path, file } = self;
        let unfit = |problem: String| format!("{path} cannot be run: {problem}");
        let image = ImageFile::Open { file: Arc::new(file), name: PathBuf::from(&path) };
        loader.command(image).await.map_err(|problem| match problem {
            Unfit::Kind(kind) => unfit(what_it_is(kind)),
            Unfit::Prepare(PrepareError::Image(error)) => unfit(reason(error)),
            Unfit::Prepare(PrepareError::Start(error)) => unfit(error.to_string()),
        })
    }
}

/// Whether its name says that it is WebAssembly.
fn is_named(path: &str) -> bool {
    path.ends_with(SUFFIX) || path.ends_with(TEXT_SUFFIX)
}

/// Whether it begins as a binary of WebAssembly does.
fn is_binary(file: &File) -> io::Result<bool> {
    let mut start = [0; 4];
    match file.read_exact_at(&mut start, 0) {
        Ok(()) => Ok(start == *b"\0asm"),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The places of a word, in the order in which they are tried.
fn candidates(word: &str, cwd: Option<&str>, path: &str) -> Vec<String> {
    let from_here = |path: &str| match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{}/{path}", cwd.unwrap_or_default().trim_end_matches('/')),
    };
    let places = match word {
        "" => Vec::new(),
        word if word.contains('/') => vec![from_here(word)],
        // An empty entry is the working folder, as a shell has it.
        word => path
            .split(':')
            .map(|folder| from_here(folder).trim_end_matches('/').to_owned() + "/" + word)
            .collect(),
    };
    let spellings = |place: String| match place.ends_with(SUFFIX) {
        true => vec![place],
        false => vec![format!("{place}{SUFFIX}"), place],
    };
    places.into_iter().flat_map(spellings).collect()
}

/// The container's `PATH`; the last one of a name counts.
fn path_of(env: &[(String, String)]) -> &str {
    let set = env.iter().rev().find(|(name, _)| name == "PATH");
    set.map_or(PATH, |(_, path)| path)
}

/// The programs on the `PATH`, for whoever has misspelt one.
pub(super) async fn names(loader: &Loader, spec: &RunSpec) -> Vec<String> {
    let folders = candidates("*", spec.cwd.as_deref(), path_of(&spec.env));
    let mounts = spec.mounts.clone();
    let look = move || {
        let folders = folders.iter().filter_map(|place| place.strip_suffix("/*"));
        let files = folders.flat_map(|folder| guest_files(&mounts, folder, LOOKED_AT));
        let mut names: Vec<String> = files.filter(|name| name.ends_with(SUFFIX)).collect();
        names.sort();
        names.dedup();
        names.truncate(NAMES);
        names
    };
    loader.blocking().spawn(look).await.unwrap_or_default()
}

fn what_it_is(kind: GuestKind) -> String {
    let what = match kind {
        kind if kind.is_http() => "an HTTP handler",
        kind if kind.is_component() => "a component without `wasi:cli/run`",
        _ => "a module without `_start`",
    };
    format!("it is {what}, not a command")
}

/// Why an image does not run, without the words for a container's own.
fn reason(error: ImageError) -> String {
    match error {
        ImageError::Unusable { message, .. } => message,
        ImageError::Compile { message, .. } => format!("it does not compile: {message}"),
        ImageError::Cache { source, .. } => source.to_string(),
        ImageError::TooLarge { bytes, most, .. } => {
            format!("it has {bytes} bytes; the most is {most}")
        }
        ImageError::Read { source, .. } => source.to_string(),
        ImageError::InvalidName { .. }
        | ImageError::NeverPull { .. }
        | ImageError::Fetch(_)
        | ImageError::Removed { .. }
        | ImageError::Inspect { .. }
        | ImageError::Store { .. }
        | ImageError::NotAFile { .. } => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_looked_for_where_a_shell_would() {
        let table: [(&str, Option<&str>, &[&str]); 7] = [
            ("/a/check.wasm", None, &["/a/check.wasm"]),
            ("/a/check", None, &["/a/check.wasm", "/a/check"]),
            ("./check.wasm", None, &["/./check.wasm"]),
            ("bin/check.wasm", Some("/app/"), &["/app/bin/check.wasm"]),
            (
                "check.wasm",
                Some("/app"),
                &["/one/check.wasm", "/app/check.wasm", "/two/check.wasm"],
            ),
            (
                "check",
                None,
                &[
                    "/one/check.wasm",
                    "/one/check",
                    "/check.wasm",
                    "/check",
                    "/two/check.wasm",
                    "/two/check",
                ],
            ),
            ("", None, &[]),
        ];
        for (word, cwd, places) in table {
            assert_eq!(candidates(word, cwd, "/one/::/two"), places, "{word:?} in {cwd:?}");
        }
    }

    #[test]
    fn the_last_path_of_an_environment_counts() {
        let set = |value: &str| ("PATH".to_owned(), value.to_owned());
        assert_eq!(path_of(&[]), "/usr/local/bin:/usr/bin:/bin");
        assert_eq!(path_of(&[set("/a"), set("/b")]), "/b");
    }
}
