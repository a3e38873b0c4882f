//! The machine's stack of a process is a part of its memory, which every process has a copy of: a megabyte,
//! as it is by default, would be most of it.

fn main() {
    if std::env::var_os("CARGO_CFG_TARGET_ARCH").is_some_and(|arch| arch == "wasm32") {
        println!("cargo::rustc-link-arg-bins=-zstack-size=524288");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
