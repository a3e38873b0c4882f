//! Finds the toolbox that `cargo xtask toolbox` builds: whoever has not built it gets a program without one, and
//! needs no other target than that of this machine.

use std::path::Path;

const BUILT: &str = "../../toolbox/target/wasm32-wasip1/release/toolbox.wasm";

fn main() {
    println!("cargo::rustc-check-cfg=cfg(toolbox)");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let built = Path::new(&folder).join(BUILT);
    println!("cargo::rerun-if-changed={}", built.display());
    if built.exists() {
        println!("cargo::rustc-cfg=toolbox");
        println!("cargo::rustc-env=WASMPOD_TOOLBOX={}", built.display());
    }
}
