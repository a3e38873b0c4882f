//! The types and traits of `wasi:sockets` 0.2, generated from its WIT.

#![expect(missing_docs, reason = "generated; the WIT files document it")]

wasmtime::component::bindgen!({
    path: "wit/p2",
    world: "wasmpod:host/sockets",
    imports: { default: trappable },
    require_store_data_send: true,
    trappable_error_type: {
        "wasi:sockets/network.error-code" => crate::sandbox::wasi::p2::SocketError,
    },
    with: {
        // Streams and pollables must be the ones that the other interfaces of a guest use.
        "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,

        "wasi:sockets/network.network": crate::sandbox::wasi::p2::NetworkHandle,
        "wasi:sockets/tcp.tcp-socket": crate::sandbox::wasi::p2::tcp::TcpSocketResource,
        "wasi:sockets/udp.udp-socket": crate::sandbox::wasi::p2::udp::UdpSocketResource,
        "wasi:sockets/udp.incoming-datagram-stream": crate::sandbox::wasi::p2::udp::IncomingDatagrams,
        "wasi:sockets/udp.outgoing-datagram-stream": crate::sandbox::wasi::p2::udp::OutgoingDatagrams,
        "wasi:sockets/ip-name-lookup.resolve-address-stream": crate::sandbox::wasi::p2::name_lookup::ResolvedAddresses,
    },
});
