//! The program as it is shipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, run, target_folder};

/// Builds wasmpod for release and tells where it is.
///
/// The last step links the C library in: without four libraries to find, map and relocate, a Pod
/// starts a fifth sooner and an idle one holds less memory of its own. Only the last step: as a
/// flag for the whole build it would hold for procedural macros too, which must be dynamic.
pub(crate) fn release() -> Result<PathBuf, String> {
    let mut command = cargo();
    command.args([
        "rustc",
        "--release",
        "--locked",
        "--package",
        "wasmpod-cli",
        "--bin",
        "wasmpod",
    ]);
    if has_static_libc() {
        command.args(["--", "-C", "target-feature=+crt-static"]);
    } else {
        eprintln!(
            "note: no static C library here: wasmpod is linked dynamically, and starts slower"
        );
    }
    run(&mut command)?;
    Ok(target_folder().join("release/wasmpod"))
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
