//! `wasmpod_terminal` where an exec has no terminal that could be told anything: lines stay lines, and the
//! size is unknown.

use wasmtime::{Linker, Result};

use crate::guest::state::GuestState;

const MODULE: &str = "wasmpod_terminal";

/// What `set_raw` answers when it cannot.
const REFUSED: i32 = 1;
/// What `size` answers when it does not know.
const UNKNOWN: i32 = 0;

/// # Errors
/// The linker has them already and allows no shadowing.
pub(super) fn link(linker: &mut Linker<GuestState>) -> Result<()> {
    linker.func_wrap(MODULE, "set_raw", |_on: i32| REFUSED)?;
    linker.func_wrap(MODULE, "size", || UNKNOWN)?;
    Ok(())
}
