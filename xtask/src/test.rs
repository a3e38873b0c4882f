//! Every test, in an order in which each finds what it needs: guests, the toolbox, then the tests.

use crate::guests;
use crate::run::{self, cargo};
use crate::toolbox;

pub(crate) fn run(rest: &[&str]) -> Result<(), String> {
    guests::build()?;
    toolbox::build()?;
    toolbox::test()?;
    // The whole workspace at once: another selection of packages unifies other features, and
    // would build the engine a second time.
    run::run(cargo().args(["test", "--workspace"]).args(rest))
}
