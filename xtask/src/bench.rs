//! The measurements of docs/performance.md. They need Python 3, `wrk` and the wasmtime CLI beside
//! what all else needs; `benches/README.md` says where from.

use crate::run::{self, tool};
use crate::{build, guests};

pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    let wasmpod = build::release()?;
    let mut measure = tool("python3");
    measure.arg("benches/run.py").args(rest);
    measure.env("WASMPOD", wasmpod);
    run::run(&mut measure)
}
