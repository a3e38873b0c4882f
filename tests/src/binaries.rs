//! Where the binaries under test are: built on the first question of a test process, by cargo.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The `wasmpod` binary of this checkout, of the profile that the tests themselves have.
///
/// # Panics
/// When cargo cannot build it.
pub fn wasmpod() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // Beside the test's own binary: target/<profile>/deps/<test>.
        let test = std::env::current_exe().expect("a test has a path");
        let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps/<test>");
        let target = profile.parent().expect("target/<profile>");
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--package", "wasmpod-cli", "--bin", "wasmpod"]);
        build.arg("--target-dir").arg(target).current_dir(checkout());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "cargo builds wasmpod");
        profile.join("wasmpod")
    })
}

/// The path of a guest of `guest-examples/`, by the name of its binary.
///
/// # Panics
/// When there is no such guest, or cargo cannot build it.
#[track_caller]
pub fn guest(name: &str) -> String {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build =
            Command::new(env!("CARGO")).args(["xtask", "guests"]).current_dir(checkout()).status();
        assert!(build.expect("cargo runs").success(), "`cargo xtask guests` builds the guests");
    });
    let built = checkout().join("guest-examples/target");
    ["wasm32-wasip2", "wasm32-wasip1"]
        .iter()
        .map(|target| built.join(target).join("release").join(format!("{name}.wasm")))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("guest-examples has no guest `{name}`"))
        .to_str()
        .expect("the checkout's path is UTF-8")
        .to_owned()
}

/// The root of this checkout.
pub(crate) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the checkout")
}
