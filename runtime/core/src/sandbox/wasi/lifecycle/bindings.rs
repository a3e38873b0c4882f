//! The types and traits of `wasmpod:lifecycle`, generated from its WIT.

#![expect(missing_docs, reason = "generated; the WIT files document it")]

pub mod p2 {
    wasmtime::component::bindgen!({
        path: ["wit/p2/deps/io.wit", "wit/lifecycle/p2"],
        world: "wasmpod:lifecycle/imports@0.2.0",
        imports: { default: trappable },
        require_store_data_send: true,
        with: {
            // The pollable must be the one that the other interfaces of a guest use.
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
        },
    });
}

pub mod p3 {
    wasmtime::component::bindgen!({
        path: "wit/lifecycle/p3",
        world: "wasmpod:lifecycle/imports@0.3.0",
        imports: { default: trappable },
        require_store_data_send: true,
    });
}
