//! `wasmpod_terminal`: what WASI has no words for, for modules that edit lines themselves.
//!
//! | function | what it does |
//! |---|---|
//! | `set_raw(i32) -> i32` | bytes come as they are typed, and go as they are written; 0: as at first. Answers 0, or 1 where there is no terminal |
//! | `size() -> i32` | rows in the high half, columns in the low one; 0 where nobody knows |
//!
//! Without a terminal the first does nothing and the second gives 0.

use wasmtime::{Caller, Linker, Module, Result};

use crate::sandbox::terminal::Terminal;

/// The module that guests import.
const MODULE: &str = "wasmpod_terminal";

/// Implemented by the data of a Store whose guest may have a terminal.
pub trait TerminalView: Send {
    /// Its terminal.
    fn terminal(&self) -> Option<&Terminal>;
}

/// Links what `module` imports of it.
///
/// # Errors
/// The linker has it already.
pub fn link_module<Data: TerminalView + 'static>(
    linker: &mut Linker<Data>,
    module: &Module,
) -> Result<()> {
    if module.imports().any(|import| import.module() == MODULE) {
        linker.func_wrap(MODULE, "set_raw", |caller: Caller<'_, Data>, raw: i32| {
            let terminal = caller.data().terminal();
            if let Some(terminal) = terminal {
                terminal.set_raw(raw != 0);
            }
            i32::from(terminal.is_none())
        })?;
        linker.func_wrap(MODULE, "size", |caller: Caller<'_, Data>| {
            let size = caller.data().terminal().map(Terminal::size).unwrap_or_default();
            (u32::from(size.rows) << 16 | u32::from(size.columns)).cast_signed()
        })?;
    }
    Ok(())
}
