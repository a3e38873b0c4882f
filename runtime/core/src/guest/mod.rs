//! Running code: one wasmtime Store for each run of a container.
