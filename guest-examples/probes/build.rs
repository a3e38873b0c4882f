//! A program exports no functions unless the linker is asked to.

fn main() {
    for function in ["healthy", "farewell"] {
        println!("cargo:rustc-link-arg=--export={function}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
