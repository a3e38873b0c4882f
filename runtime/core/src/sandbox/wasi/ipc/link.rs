//! The interfaces, each by its name.

use wasmtime::Result;
use wasmtime::component::Linker;

use super::bindings::p2;
pub use super::module::link_module;
use super::view::{IpcView, PodIpcFront};

/// Links one interface of 0.2, named without its version; false when it is another.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface_p2<Data: IpcView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    use p2::wasmpod::ipc;
    match interface {
        "wasmpod:ipc/types" => {}
        "wasmpod:ipc/queues" => {
            ipc::queues::add_to_linker::<_, PodIpcFront>(linker, Data::ipc)?;
        }
        "wasmpod:ipc/keyed-queues" => {
            ipc::keyed_queues::add_to_linker::<_, PodIpcFront>(linker, Data::ipc)?;
        }
        "wasmpod:ipc/segments" => {
            ipc::segments::add_to_linker::<_, PodIpcFront>(linker, Data::ipc)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
