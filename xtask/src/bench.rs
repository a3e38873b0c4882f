//! The measurements of docs/performance.md. They need Python 3, `wrk` and the wasmtime CLI beside
//! what all else needs; `benches/README.md` says where from.

use crate::guests;
use crate::run::{self, cargo, target_folder, tool};

pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    run::run(cargo().args(["build", "--release", "--package", "wasmpod-cli"]))?;
    let mut measure = tool("python3");
    measure.arg("benches/run.py").args(rest);
    measure.env("WASMPOD", target_folder().join("release/wasmpod"));
    run::run(&mut measure)
}
