//! The toolbox as its host has it: a module in this program, and code in the cache once it is used.

use std::borrow::Cow;
use std::sync::Arc;

/// A shell and the usual small tools, for commands in containers that have none.
///
/// It is one module of WASI 0.1 that may import `wasmpod_process` besides. Each of its exports whose name
/// begins with `tool:` names a word that it answers to; it finds the word as the first of its arguments.
/// Clones share it.
#[derive(Clone)]
pub struct Toolbox {
    wasm: Arc<Cow<'static, [u8]>>,
}

impl Toolbox {
    /// The toolbox in the bytes of a module.
    pub fn new(wasm: impl Into<Cow<'static, [u8]>>) -> Self {
        Self { wasm: Arc::new(wasm.into()) }
    }

    pub(crate) fn wasm(&self) -> &[u8] {
        &self.wasm
    }
}
