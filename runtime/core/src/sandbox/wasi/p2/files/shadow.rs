//! Takes the place of the functions that make streams of files.

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, Host as _, HostDescriptor as _};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

/// What is put around the stock streams.
pub(super) trait Wrap {
    fn input(self, stock: DynInputStream) -> DynInputStream;
    fn output(self, stock: DynOutputStream) -> DynOutputStream;
}

/// As wasmtime-wasi names it when it links its own.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

const READ: &str = "[method]descriptor.read-via-stream";
const WRITE: &str = "[method]descriptor.write-via-stream";
const APPEND: &str = "[method]descriptor.append-via-stream";

/// Shadows the functions that make streams of files, in a linker that has the others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(super) fn shadow<T, Wrapper>(linker: &mut Linker<T>, wrap: fn(&mut T) -> Wrapper) -> Result<()>
where
    T: WasiFilesystemView + 'static,
    Wrapper: Wrap + 'static,
{
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        READ,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().filesystem();
            let stream = view.read_via_stream(file, offset);
            answer(&mut view, stream, |stock| wrapper.input(stock))
        },
    )?;
    types.func_wrap(
        WRITE,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().filesystem();
            let stream = view.write_via_stream(file, offset);
            answer(&mut view, stream, |stock| wrapper.output(stock))
        },
    )?;
    types.func_wrap(
        APPEND,
        move |mut store: StoreContextMut<'_, T>, (file,): (Resource<Descriptor>,)| {
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().filesystem();
            let stream = view.append_via_stream(file);
            answer(&mut view, stream, |stock| wrapper.output(stock))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

type Answer<Stream> = (Result<Resource<Stream>, ErrorCode>,);

/// The stock stream, wrapped, as the answer to the guest.
fn answer<Stream: Send + 'static>(
    view: &mut WasiFilesystemCtxView<'_>,
    made: FsResult<Resource<Stream>>,
    wrap: impl FnOnce(Stream) -> Stream,
) -> Result<Answer<Stream>> {
    let stock = match made {
        Ok(stream) => view.table.delete(stream)?,
        Err(error) => return Ok((Err(view.convert_error_code(error)?),)),
    };
    Ok((Ok(view.table.push(wrap(stock))?),))
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;
    use wasmtime::component::ResourceTable;
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtx};
    use wasmtime_wasi::p2::bindings::filesystem::types;

    use super::super::file_streams_in_place;
    use super::*;

    struct Files {
        ctx: WasiFilesystemCtx,
        table: ResourceTable,
    }

    impl WasiFilesystemView for Files {
        fn filesystem(&mut self) -> WasiFilesystemCtxView<'_> {
            WasiFilesystemCtxView { ctx: &mut self.ctx, table: &mut self.table }
        }
    }

    /// With another version of the interface ours would lie beside the stock ones, unused.
    #[test]
    fn what_is_shadowed_is_there() {
        let mut linker = Linker::<Files>::new(&Engine::default());
        types::add_to_linker::<_, WasiFilesystem>(&mut linker, Files::filesystem).unwrap();
        for name in [READ, WRITE, APPEND] {
            let mut types = linker.instance(TYPES).unwrap();
            let twice = types.func_wrap(name, |_: StoreContextMut<'_, Files>, (): ()| Ok(()));
            let error = twice.expect_err(name).to_string();
            assert!(error.contains("defined twice"), "{error}");
        }
        file_streams_in_place(&mut linker).unwrap();
    }
}
