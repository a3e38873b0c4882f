//! Streams of files whose reads and writes are done in place, for virtual time.
//!
//! wasmtime-wasi does every other file call in place when it may. What a stream reads ahead or
//! writes behind still goes to a thread, and when that is done is chance. Here a read or a write is
//! done when it returns.

use bytes::Bytes;
use futures::FutureExt as _;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, Host as _, HostDescriptor as _};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, FsResult, InputStream, OutputStream, Pollable, StreamError,
    StreamResult,
};

/// As wasmtime-wasi names it when it links its own.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

const READ: &str = "[method]descriptor.read-via-stream";
const WRITE: &str = "[method]descriptor.write-via-stream";
const APPEND: &str = "[method]descriptor.append-via-stream";

/// Shadows the functions that make streams of files, in a linker that has the others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(crate) fn file_streams_in_place<T>(linker: &mut Linker<T>) -> Result<()>
where
    T: WasiFilesystemView + 'static,
{
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        READ,
        |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let mut view = store.data_mut().filesystem();
            let stream = view.read_via_stream(file, offset);
            answer(&mut view, stream, |stream: DynInputStream| Box::new(Input(stream)))
        },
    )?;
    types.func_wrap(
        WRITE,
        |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let mut view = store.data_mut().filesystem();
            let stream = view.write_via_stream(file, offset);
            answer(&mut view, stream, |stream: DynOutputStream| Box::new(Output(stream)))
        },
    )?;
    types.func_wrap(
        APPEND,
        |mut store: StoreContextMut<'_, T>, (file,): (Resource<Descriptor>,)| {
            let mut view = store.data_mut().filesystem();
            let stream = view.append_via_stream(file);
            answer(&mut view, stream, |stream: DynOutputStream| Box::new(Output(stream)))
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

struct Input(DynInputStream);

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        at_once(self.0.blocking_read(size))
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.read(size)
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {}
}

struct Output(DynOutputStream);

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        at_once(self.0.blocking_write_and_flush(bytes))
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.0.check_write()
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

/// What the stock stream answers: the context allows it to do its work in place.
fn at_once<Output>(work: impl Future<Output = StreamResult<Output>>) -> StreamResult<Output> {
    let waits = || Err(StreamError::trap("a file call that is done in place had to wait"));
    work.now_or_never().unwrap_or_else(waits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::Engine;
    use wasmtime::component::ResourceTable;
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtx};
    use wasmtime_wasi::p2::bindings::filesystem::types;

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
