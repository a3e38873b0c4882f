//! The shell and the tools that commands in containers find.

use wasmpod::guest::Toolbox;

/// What `cargo xtask toolbox` has built before this program.
#[cfg(toolbox)]
static WASM: &[u8] = include_bytes!(env!("WASMPOD_TOOLBOX"));

/// The toolbox, if this program carries one.
pub(crate) fn find() -> Option<Toolbox> {
    #[cfg(toolbox)]
    return Some(Toolbox::new(WASM));
    #[cfg(not(toolbox))]
    return None;
}
