//! The WebAssembly programs: two targets, one build each.
//!
//! They land in `guest-examples/target/`, where the manifests beside their sources look for them,
//! whatever target folder or flags the environment sets for the workspace itself.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{cargo, root, run, tool};

/// Programs for WASI 0.1.
const FOR_0_1: [&str; 8] =
    ["compute", "hello", "ipc", "job", "probed", "probes", "reactor-core", "toolbox"];

/// Those of them that are for nothing later.
const FOR_0_1_ONLY: [&str; 4] = ["compute", "job", "probes", "reactor-core"];

pub(crate) fn build() -> Result<(), String> {
    let folder = root().join("guest-examples");
    let each = |flag, packages: &[&'static str]| -> Vec<&'static str> {
        packages.iter().flat_map(|package| [flag, *package]).collect()
    };
    let later = [vec!["--workspace"], each("--exclude", &FOR_0_1_ONLY)].concat();
    for (triple, packages) in [("wasm32-wasip1", each("-p", &FOR_0_1)), ("wasm32-wasip2", later)] {
        ensure_installed(triple)?;
        let mut command = cargo();
        command.args(["build", "--release", "--locked", "--target", triple]).args(packages);
        command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
        command.arg("--target-dir").arg(folder.join("target"));
        // Flags for this machine's processor would not fit the guests.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        run(&mut command)?;
    }
    Ok(())
}

/// rust-toolchain.toml names the targets, so rustup has brought them along; but a toolchain that is
/// chosen in another way (`cargo +nightly`, `RUSTUP_TOOLCHAIN`) may lack them.
pub(crate) fn ensure_installed(triple: &str) -> Result<(), String> {
    if is_installed(triple) {
        return Ok(());
    }
    run(tool("rustup").args(["target", "add", triple])).map_err(|problem| {
        format!(
            "{problem}\n  the Rust toolchain needs its target `{triple}`: install it, or rustup"
        )
    })
}

fn is_installed(triple: &str) -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .current_dir(root())
        .args(["--print", "target-libdir", "--target", triple])
        .output();
    output.is_ok_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout);
        output.status.success() && PathBuf::from(folder.trim()).is_dir()
    })
}
