//! The types and traits of `wasmpod:ipc`, generated from its WIT.

#![expect(missing_docs, reason = "generated; the WIT files document it")]

pub mod p2 {
    wasmtime::component::bindgen!({
        path: ["wit/p2/deps/io.wit", "wit/ipc/p2"],
        world: "wasmpod:ipc/imports@0.2.0",
        imports: {
            "wasmpod:ipc/queues.[method]queue.send": async | trappable,
            "wasmpod:ipc/queues.[method]queue.receive": async | trappable,
            "wasmpod:ipc/keyed-queues.[method]keyed-queue.send": async | trappable,
            "wasmpod:ipc/keyed-queues.[method]keyed-queue.receive": async | trappable,
            default: trappable,
        },
        require_store_data_send: true,
        with: {
            // The pollable must be the one that the other interfaces of a guest use.
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasmpod:ipc/queues.queue": crate::sandbox::wasi::ipc::QueueHandle,
            "wasmpod:ipc/keyed-queues.keyed-queue": crate::sandbox::wasi::ipc::KeyedQueueHandle,
            "wasmpod:ipc/segments.segment": crate::sandbox::wasi::ipc::SegmentHandle,
        },
    });
}
