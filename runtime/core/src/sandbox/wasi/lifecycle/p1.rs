//! `wasmpod:lifecycle/stop` for core modules: one question, whose answer is a number.

use wasmtime::{Caller, Linker, Module, Result};

use super::view::LifecycleView;

/// The module and the function that it has.
const MODULE: &str = "wasmpod:lifecycle/stop";
const REQUESTED: &str = "requested";

/// What is answered while no stop has come.
const NOT_YET: i64 = -1;

/// Links `requested: () -> i64` if `module` imports it: the nanoseconds that are left of the grace
/// period, -1 while no stop has come.
///
/// # Errors
/// The linker has it already.
pub fn link_module<Data: LifecycleView + 'static>(
    linker: &mut Linker<Data>,
    module: &Module,
) -> Result<()> {
    if module.imports().any(|import| import.module() == MODULE) {
        linker.func_wrap(MODULE, REQUESTED, |mut caller: Caller<'_, Data>| {
            caller.data_mut().lifecycle().stop.request().map_or(NOT_YET, |request| {
                i64::try_from(request.grace_nanoseconds()).unwrap_or(i64::MAX)
            })
        })?;
    }
    Ok(())
}
