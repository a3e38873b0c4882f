//! The toolbox: a module of WASI 0.1 that wasmpod carries.

use crate::guests::ensure_installed;
use crate::run::{cargo, root, run};

const TRIPLE: &str = "wasm32-wasip1";

/// Builds it where the program's own build looks for it.
pub(crate) fn build() -> Result<(), String> {
    let folder = root().join("toolbox");
    ensure_installed(TRIPLE)?;
    let mut command = cargo();
    command.args(["build", "--release", "--locked", "--target", TRIPLE]);
    command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(folder.join("target"));
    // Flags for this machine's processor would not fit it.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut command)
}

/// Runs its tests, as a program of this machine.
pub(crate) fn test() -> Result<(), String> {
    let folder = root().join("toolbox");
    let mut command = cargo();
    command.args(["test", "--locked"]);
    command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    command.arg("--target-dir").arg(folder.join("target"));
    run(&mut command)
}
