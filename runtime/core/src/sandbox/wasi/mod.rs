//! The fronts that wasmtime calls: sockets of WASI 0.1, 0.2 and 0.3.
