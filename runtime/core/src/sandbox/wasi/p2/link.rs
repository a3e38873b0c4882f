//! Which interfaces there are, each by its name.

use wasmtime::component::Linker;

use super::bindings::wasi::sockets;
use crate::sandbox::wasi::{NetworkView, PodSockets};

const INTERFACES: [&str; 7] = [
    "wasi:sockets/network",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Links one interface of 0.2, named without its version; false when it is none of sockets.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface<Data: NetworkView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> wasmtime::Result<bool> {
    match interface {
        "wasi:sockets/network" => {
            let options = sockets::network::LinkOptions::default();
            sockets::network::add_to_linker::<_, PodSockets>(linker, &options, Data::network)
        }
        "wasi:sockets/instance-network" => {
            sockets::instance_network::add_to_linker::<_, PodSockets>(linker, Data::network)
        }
        "wasi:sockets/ip-name-lookup" => {
            sockets::ip_name_lookup::add_to_linker::<_, PodSockets>(linker, Data::network)
        }
        "wasi:sockets/tcp" => sockets::tcp::add_to_linker::<_, PodSockets>(linker, Data::network),
        "wasi:sockets/tcp-create-socket" => {
            sockets::tcp_create_socket::add_to_linker::<_, PodSockets>(linker, Data::network)
        }
        "wasi:sockets/udp" => sockets::udp::add_to_linker::<_, PodSockets>(linker, Data::network),
        "wasi:sockets/udp-create-socket" => {
            sockets::udp_create_socket::add_to_linker::<_, PodSockets>(linker, Data::network)
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// Links all of `wasi:sockets` 0.2.
///
/// # Errors
/// The linker has one of the interfaces already.
pub fn add_to_linker<Data: NetworkView + 'static>(
    linker: &mut Linker<Data>,
) -> wasmtime::Result<()> {
    for interface in INTERFACES {
        link_interface(linker, interface)?;
    }
    Ok(())
}
