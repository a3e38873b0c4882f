//! Which interfaces there are, each by its name.

use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi_http::{WasiHttp, WasiHttpView, p2, p3};

/// Links one interface of 0.2, named without its version; false when it is none of HTTP.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface_p2<Data: WasiHttpView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    use p2::bindings::http::{outgoing_handler, types};

    match interface {
        "wasi:http/types" => {
            let options = types::LinkOptions::default();
            types::add_to_linker::<_, WasiHttp>(linker, &options, Data::http)
        }
        "wasi:http/outgoing-handler" => {
            outgoing_handler::add_to_linker::<_, WasiHttp>(linker, Data::http)
        }
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// Links one interface of 0.3, named without its version; false when it is none of HTTP.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface_p3<Data: WasiHttpView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    use p3::bindings::http::{client, types};

    match interface {
        "wasi:http/types" => types::add_to_linker::<_, WasiHttp>(linker, Data::http),
        "wasi:http/client" => client::add_to_linker::<_, WasiHttp>(linker, Data::http),
        _ => return Ok(false),
    }?;
    Ok(true)
}
