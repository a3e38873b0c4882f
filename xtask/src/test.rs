//! Every test, in an order in which each finds what it needs: guests, the binary, then the tests.

use crate::guests;
use crate::run::{self, cargo};

pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    // The end-to-end tests start the binary that a user starts.
    run::run(cargo().args(["build", "--package", "wasmpod-cli"]))?;
    run::run(cargo().args(["test", "--workspace"]).args(rest))
}
