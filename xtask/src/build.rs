//! The program: as it is shipped, and as it is developed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::order;
use crate::run::{cargo, run, target_folder};
use crate::toolbox;

/// The C library is linked in: without four libraries to find, map and relocate, a Pod starts
/// sooner, and an idle one holds less memory of its own. Only in the last step of a build: as a flag
/// for all of it, it would hold for procedural macros too, which must be dynamic.
///
/// Relocations are packed: the loader reads a few kilobytes of them then, where it were a million
/// bytes.
const STATIC: [&str; 2] =
    ["-Ctarget-feature=+crt-static", "-Clink-arg=-Wl,-z,pack-relative-relocs"];

/// Builds wasmpod for development and tells where it is.
pub(crate) fn development() -> Result<PathBuf, String> {
    // The whole workspace, as the tests do: another selection of packages unifies other features,
    // and the engine would be built twice.
    toolbox::build()?;
    run(cargo().args(["build", "--workspace", "--locked"]))?;
    Ok(target_folder().join("debug").join("wasmpod"))
}

/// Builds wasmpod for release and tells where it is: first its compiler and what fetches images, programs of
/// their own, then the program that carries them, linked by [`order`]. So the processes of Pods contain
/// neither: they start sooner and hold less memory.
pub(crate) fn release() -> Result<PathBuf, String> {
    build(&[])
}

/// The same with the names of its functions.
pub(crate) fn with_symbols() -> Result<PathBuf, String> {
    build(&["-Cstrip=none"])
}

/// `more` goes to the last step of wasmpod itself.
fn build(more: &[&str]) -> Result<PathBuf, String> {
    toolbox::build()?;
    let mut last_step: Vec<&str> = vec!["--"];
    if has_static_libc() {
        last_step.extend(STATIC);
    } else {
        eprintln!(
            "note: no static C library here: wasmpod is linked dynamically, and starts slower"
        );
    }
    let built = target_folder().join("release");

    let package = ["--package", "wasmpod-compiler", "--bin", "wasmpod-compiler"];
    run(release_build().args(package).args(&last_step))?;

    let package = ["--package", "wasmpod-registry", "--bin", "wasmpod-registry"];
    run(release_build().args(package).args(&last_step))?;

    let package = ["--package", "wasmpod-cli", "--bin", "wasmpod", "--no-default-features"];
    let mut wasmpod = release_build();
    wasmpod.env("WASMPOD_COMPILER", built.join("wasmpod-compiler"));
    wasmpod.env("WASMPOD_REGISTRY", built.join("wasmpod-registry"));
    wasmpod.env(order::LINKS, "1");
    if let Some(commit) = commit() {
        wasmpod.env("WASMPOD_COMMIT", commit);
    }
    wasmpod.args(package).args(&last_step).args(order::arguments()?).args(more);
    run(&mut wasmpod)?;
    Ok(built.join("wasmpod"))
}

/// What `wasmpod version` tells; nothing outside of a checkout.
fn commit() -> Option<String> {
    let output = Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (output.status.success() && !commit.is_empty()).then_some(commit)
}

fn release_build() -> Command {
    let mut command = cargo();
    command.args(["rustc", "--release", "--locked"]);
    command
}

/// Debian's libc6-dev has it; other distributions have it in a package of its own.
fn has_static_libc() -> bool {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return false;
    }
    let output = Command::new("cc").arg("-print-file-name=libc.a").output();
    // A bare name comes back where there is none.
    output
        .is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute())
}
