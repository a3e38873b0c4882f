//! Takes the place of the functions that read files and write to them, and counts what passes.

use std::sync::Arc;

use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, Host as _, HostDescriptor as _};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsResult};

use super::counted::{CountedInput, CountedOutput, length};
use super::ipc::{PodFilesCtxView, PodFilesView};
use crate::sandbox::filesystem::FileTraffic;

/// What is put around the stock streams.
pub(super) trait Wrap {
    fn input(self, stock: DynInputStream) -> DynInputStream;
    fn output(self, stock: DynOutputStream) -> DynOutputStream;
}

/// Implemented by the data of a Store whose file traffic is counted.
pub(crate) trait FileTrafficView {
    /// The container's counters.
    fn file_traffic(&self) -> &Arc<FileTraffic>;
}

/// As wasmtime-wasi names it when it links its own.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

const READ_STREAM: &str = "[method]descriptor.read-via-stream";
const WRITE_STREAM: &str = "[method]descriptor.write-via-stream";
const APPEND_STREAM: &str = "[method]descriptor.append-via-stream";
const READ: &str = "[method]descriptor.read";
const WRITE: &str = "[method]descriptor.write";

/// Shadows the functions that read and write files, in a linker that has all others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(super) fn shadow<T, Wrapper>(linker: &mut Linker<T>, wrap: fn(&mut T) -> Wrapper) -> Result<()>
where
    T: PodFilesView + FileTrafficView + 'static,
    Wrapper: Wrap + 'static,
{
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        READ_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let files = Arc::clone(store.data().file_traffic());
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().pod_files();
            let ours = view.ipc.is_ours(&file);
            let stream = view.read_via_stream(file, offset);
            answer(&mut view, stream, |stock| {
                let stream = if ours { stock } else { wrapper.input(stock) };
                Box::new(CountedInput { stream, files })
            })
        },
    )?;
    types.func_wrap(
        WRITE_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let files = Arc::clone(store.data().file_traffic());
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().pod_files();
            let ours = view.ipc.is_ours(&file);
            let stream = view.write_via_stream(file, offset);
            answer(&mut view, stream, |stock| {
                let stream = if ours { stock } else { wrapper.output(stock) };
                Box::new(CountedOutput { stream, files })
            })
        },
    )?;
    types.func_wrap(
        APPEND_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file,): (Resource<Descriptor>,)| {
            let files = Arc::clone(store.data().file_traffic());
            let wrapper = wrap(store.data_mut());
            let mut view = store.data_mut().pod_files();
            let ours = view.ipc.is_ours(&file);
            let stream = view.append_via_stream(file);
            answer(&mut view, stream, |stock| {
                let stream = if ours { stock } else { wrapper.output(stock) };
                Box::new(CountedOutput { stream, files })
            })
        },
    )?;
    types.func_wrap_async(
        READ,
        |mut store: StoreContextMut<'_, T>,
         (file, size, offset): (Resource<Descriptor>, u64, u64)| {
            Box::new(async move {
                let mut view = store.data_mut().pod_files();
                let read = view.read(file, size, offset).await;
                let read = told(&mut view, read)?;
                if let Ok((bytes, _end)) = &read {
                    store.data().file_traffic().read(length(bytes.len()));
                }
                Ok((read,))
            })
        },
    )?;
    types.func_wrap_async(
        WRITE,
        |mut store: StoreContextMut<'_, T>,
         (file, bytes, offset): (Resource<Descriptor>, Vec<u8>, u64)| {
            Box::new(async move {
                let mut view = store.data_mut().pod_files();
                let written = view.write(file, bytes, offset).await;
                let written = told(&mut view, written)?;
                if let Ok(count) = &written {
                    store.data().file_traffic().wrote(*count);
                }
                Ok((written,))
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

type Answer<Stream> = (Result<Resource<Stream>, ErrorCode>,);

/// The stock stream, wrapped, as the answer to the guest. Those of the IPC are wrapped by nothing that
/// knows of threads and disks.
fn answer<Stream: Send + 'static>(
    view: &mut PodFilesCtxView<'_>,
    made: FsResult<Resource<Stream>>,
    wrap: impl FnOnce(Stream) -> Stream,
) -> Result<Answer<Stream>> {
    Ok((match told(view, made)? {
        Ok(stream) => {
            let stock = view.stock.table.delete(stream)?;
            Ok(view.stock.table.push(wrap(stock))?)
        }
        Err(code) => Err(code),
    },))
}

/// An error as the guest is told of it.
fn told<Output>(
    view: &mut PodFilesCtxView<'_>,
    outcome: FsResult<Output>,
) -> Result<Result<Output, ErrorCode>> {
    match outcome {
        Ok(output) => Ok(Ok(output)),
        Err(error) => Ok(Err(view.convert_error_code(error)?)),
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;
    use wasmtime::component::ResourceTable;
    use wasmtime_wasi::filesystem::{WasiFilesystemCtx, WasiFilesystemCtxView};

    use super::super::{IpcResources, file_streams_in_place, link_types};
    use super::*;

    struct Files {
        ctx: WasiFilesystemCtx,
        table: ResourceTable,
        traffic: Arc<FileTraffic>,
        ipc: IpcResources,
    }

    impl FileTrafficView for Files {
        fn file_traffic(&self) -> &Arc<FileTraffic> {
            &self.traffic
        }
    }

    impl PodFilesView for Files {
        fn pod_files(&mut self) -> PodFilesCtxView<'_> {
            let stock = WasiFilesystemCtxView { ctx: &mut self.ctx, table: &mut self.table };
            PodFilesCtxView { stock, ipc: &mut self.ipc }
        }
    }

    /// With another version of the interface ours would lie beside the stock ones, unused.
    #[test]
    fn what_is_shadowed_is_there() {
        let mut linker = Linker::<Files>::new(&Engine::default());
        link_types(&mut linker).unwrap();
        for name in [READ_STREAM, WRITE_STREAM, APPEND_STREAM, READ, WRITE] {
            let mut types = linker.instance(TYPES).unwrap();
            let twice = types.func_wrap(name, |_: StoreContextMut<'_, Files>, (): ()| Ok(()));
            let error = twice.expect_err(name).to_string();
            assert!(error.contains("defined twice"), "{error}");
        }
        file_streams_in_place(&mut linker).unwrap();
    }
}
