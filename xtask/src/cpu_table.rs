//! What CPU requests and limits come to, measured on this machine. It needs Python 3 and `taskset`
//! beside what all else needs.

use crate::run::{self, tool};
use crate::{build, guests};

pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    let wasmpod = build::release()?;
    let mut measure = tool("python3");
    measure.arg("benches/cpu_table.py").args(rest);
    measure.env("WASMPOD", wasmpod);
    run::run(&mut measure)
}
