//! The interface for components, by its name.

use wasmtime::Result;
use wasmtime::component::Linker;

use super::bindings::{p2, p3};
use super::view::{LifecycleView, PodLifecycle};

const STOP: &str = "wasmpod:lifecycle/stop";

/// Links the interface of 0.2, named without its version; false when it is another.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface_p2<Data: LifecycleView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    use p2::wasmpod::lifecycle::stop;
    if interface == STOP {
        stop::add_to_linker::<_, PodLifecycle>(linker, Data::lifecycle)?;
    }
    Ok(interface == STOP)
}

/// The same for 0.3.
///
/// # Errors
/// The linker has the interface already.
pub fn link_interface_p3<Data: LifecycleView + 'static>(
    linker: &mut Linker<Data>,
    interface: &str,
) -> Result<bool> {
    use p3::wasmpod::lifecycle::stop;
    if interface == STOP {
        stop::add_to_linker::<_, PodLifecycle>(linker, Data::lifecycle)?;
    }
    Ok(interface == STOP)
}
