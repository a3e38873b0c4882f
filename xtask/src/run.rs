//! Commands: shown before they run, and an error when they fail.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask/ lies in the workspace").to_owned()
}

/// The cargo that runs this program, to be run in the workspace's folder.
pub(crate) fn cargo() -> Command {
    tool(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")))
}

/// A program to be run in the workspace's folder.
pub(crate) fn tool(program: impl Into<OsString>) -> Command {
    let mut command = Command::new(program.into());
    command.current_dir(root());
    command
}

/// What `CARGO_TARGET_DIR` or the default makes of the target folder.
pub(crate) fn target_folder() -> PathBuf {
    // A relative one counts from where cargo was called; cargo runs in the workspace's folder here.
    root().join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| OsString::from("target")))
}

/// Runs to the end. The error names the command.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let line = line(command);
    eprintln!("$ {line}");
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{line}` failed: {status}")),
        Err(error) => Err(format!("cannot run `{line}`: {error}")),
    }
}

/// An error with its place in front.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

fn line(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
