//! Scripts of benches/ that need no peer, with the program as it is shipped. They need Python 3 and
//! `taskset` beside what all else needs.

use crate::run::{self, tool};
use crate::{build, guests};

/// What CPU requests and limits come to.
pub(crate) fn cpu_table(rest: &[&str]) -> Result<(), String> {
    measure("benches/cpu_table.py", rest)
}

/// What a hostile Pod costs the one beside it.
pub(crate) fn neighbour(rest: &[&str]) -> Result<(), String> {
    measure("benches/neighbour.py", rest)
}

fn measure(script: &str, rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    let wasmpod = build::release()?;
    let mut measure = tool("python3");
    measure.arg(script).args(rest);
    measure.env("WASMPOD", wasmpod);
    run::run(&mut measure)
}
