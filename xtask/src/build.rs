//! The program as it is shipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, run, target_folder};

/// What the last step of a build gets: the C library is linked in. Without four libraries to find,
/// map and relocate, a Pod starts sooner, and an idle one holds less memory of its own. Only the
/// last step: as a flag for the whole build it would hold for procedural macros too, which must be
/// dynamic.
///
/// Relocations are packed: the loader reads a few kilobytes of them then, where it were a million
/// bytes.
const STATIC: [&str; 5] =
    ["--", "-C", "target-feature=+crt-static", "-C", "link-arg=-Wl,-z,pack-relative-relocs"];

/// Builds wasmpod for release and tells where it is: first its compiler, a program of its own, then
/// the program that carries it. So the processes of Pods contain no compiler: they start sooner and
/// hold less memory.
pub(crate) fn release() -> Result<PathBuf, String> {
    let last_step: &[&str] = if has_static_libc() {
        &STATIC
    } else {
        eprintln!(
            "note: no static C library here: wasmpod is linked dynamically, and starts slower"
        );
        &[]
    };
    let built = target_folder().join("release");

    let package = ["--package", "wasmpod-compiler", "--bin", "wasmpod-compiler"];
    run(release_build().args(package).args(last_step))?;

    let package = ["--package", "wasmpod-cli", "--bin", "wasmpod", "--no-default-features"];
    let mut wasmpod = release_build();
    wasmpod.env("WASMPOD_COMPILER", built.join("wasmpod-compiler"));
    run(wasmpod.args(package).args(last_step))?;
    Ok(built.join("wasmpod"))
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
