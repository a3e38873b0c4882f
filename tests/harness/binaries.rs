//! Where the binaries under test are; guests are built at the first question for one.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The `wasmpod` binary of this checkout, built by cargo together with the tests.
pub(crate) fn wasmpod() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_wasmpod"))
}

/// The path of a guest of `guest-examples/`, by the name of its binary.
///
/// # Panics
/// When there is no such guest, or cargo cannot build it.
#[track_caller]
pub(crate) fn guest(name: &str) -> String {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        // In a machine where cargo would take minutes to see that there is nothing to do.
        if std::env::var_os("WASMPOD_GUESTS").is_some_and(|guests| guests == "built") {
            return;
        }
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

/// A guest of WASI 0.1 whose name one of WASI 0.2 has too.
#[track_caller]
pub(crate) fn guest_of_0_1(name: &str) -> String {
    guest(name).replace("wasm32-wasip2", "wasm32-wasip1")
}

/// The root of this checkout.
pub(crate) fn checkout() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).expect("the package is runtime/cli of the checkout")
}
