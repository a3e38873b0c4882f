//! Which interfaces there are, each by its name.

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi::p3::bindings::sockets::{ip_name_lookup, types};

use crate::sandbox::wasi::{NetworkView, PodSockets};

/// Links one interface of 0.3, named without its version; false when it is none of sockets.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface<Data: NetworkView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    match interface {
        "wasi:sockets/types" => types::add_to_linker::<_, PodSockets>(linker, Data::network),
        "wasi:sockets/ip-name-lookup" => {
            ip_name_lookup::add_to_linker::<_, PodSockets>(linker, Data::network)
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}
