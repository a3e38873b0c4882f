//! Reads and writes of files: counted, and for virtual time done in place.
//!
//! wasmtime-wasi does every other file call in place when it may. What a stream reads ahead or
//! writes behind still goes to a thread, and when that is done is chance. In place a read or a write is
//! done when it returns.

use std::sync::Arc;

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

use super::counted_streams::{CountedInput, CountedOutput, length};
use crate::sandbox::filesystem::FileTraffic;

/// As wasmtime-wasi names it when it links its own.
const TYPES: &str = "wasi:filesystem/types@0.2.12";

const READ_STREAM: &str = "[method]descriptor.read-via-stream";
const WRITE_STREAM: &str = "[method]descriptor.write-via-stream";
const APPEND_STREAM: &str = "[method]descriptor.append-via-stream";
const READ: &str = "[method]descriptor.read";
const WRITE: &str = "[method]descriptor.write";

/// Where the work of a stream is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileWork {
    /// On a thread of its own, as wasmtime-wasi has it.
    Aside,
    /// By the call itself.
    InPlace,
}

/// Implemented by the data of a Store whose file traffic is counted.
pub(crate) trait FileTrafficView {
    /// The container's counters.
    fn file_traffic(&self) -> &Arc<FileTraffic>;
}

/// Shadows the functions that read and write files, in a linker that has all others already.
///
/// # Errors
/// The linker's; it has all it needs.
pub(crate) fn count_files<T>(linker: &mut Linker<T>, work: FileWork) -> Result<()>
where
    T: WasiFilesystemView + FileTrafficView + 'static,
{
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap(
        READ_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let files = Arc::clone(store.data().file_traffic());
            let mut view = store.data_mut().filesystem();
            let stream = view.read_via_stream(file, offset);
            answer(&mut view, stream, |stream| input(stream, files, work))
        },
    )?;
    types.func_wrap(
        WRITE_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file, offset): (Resource<Descriptor>, u64)| {
            let files = Arc::clone(store.data().file_traffic());
            let mut view = store.data_mut().filesystem();
            let stream = view.write_via_stream(file, offset);
            answer(&mut view, stream, |stream| output(stream, files, work))
        },
    )?;
    types.func_wrap(
        APPEND_STREAM,
        move |mut store: StoreContextMut<'_, T>, (file,): (Resource<Descriptor>,)| {
            let files = Arc::clone(store.data().file_traffic());
            let mut view = store.data_mut().filesystem();
            let stream = view.append_via_stream(file);
            answer(&mut view, stream, |stream| output(stream, files, work))
        },
    )?;
    types.func_wrap_async(
        READ,
        |mut store: StoreContextMut<'_, T>,
         (file, size, offset): (Resource<Descriptor>, u64, u64)| {
            Box::new(async move {
                let mut view = store.data_mut().filesystem();
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
                let mut view = store.data_mut().filesystem();
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

fn input(stream: DynInputStream, files: Arc<FileTraffic>, work: FileWork) -> DynInputStream {
    let stream = match work {
        FileWork::Aside => stream,
        FileWork::InPlace => Box::new(Input(stream)),
    };
    Box::new(CountedInput { stream, files })
}

fn output(stream: DynOutputStream, files: Arc<FileTraffic>, work: FileWork) -> DynOutputStream {
    let stream = match work {
        FileWork::Aside => stream,
        FileWork::InPlace => Box::new(Output(stream)),
    };
    Box::new(CountedOutput { stream, files })
}

type Answer<Stream> = (Result<Resource<Stream>, ErrorCode>,);

/// The stock stream, wrapped, as the answer to the guest.
fn answer<Stream: Send + 'static>(
    view: &mut WasiFilesystemCtxView<'_>,
    made: FsResult<Resource<Stream>>,
    wrap: impl FnOnce(Stream) -> Stream,
) -> Result<Answer<Stream>> {
    Ok((match told(view, made)? {
        Ok(stream) => {
            let stock = view.table.delete(stream)?;
            Ok(view.table.push(wrap(stock))?)
        }
        Err(code) => Err(code),
    },))
}

/// An error as the guest is told of it.
fn told<Output>(
    view: &mut WasiFilesystemCtxView<'_>,
    outcome: FsResult<Output>,
) -> Result<Result<Output, ErrorCode>> {
    match outcome {
        Ok(output) => Ok(Ok(output)),
        Err(error) => Ok(Err(view.convert_error_code(error)?)),
    }
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
        traffic: Arc<FileTraffic>,
    }

    impl FileTrafficView for Files {
        fn file_traffic(&self) -> &Arc<FileTraffic> {
            &self.traffic
        }
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
        for name in [READ_STREAM, WRITE_STREAM, APPEND_STREAM, READ, WRITE] {
            let mut types = linker.instance(TYPES).unwrap();
            let twice = types.func_wrap(name, |_: StoreContextMut<'_, Files>, (): ()| Ok(()));
            let error = twice.expect_err(name).to_string();
            assert!(error.contains("defined twice"), "{error}");
        }
        count_files(&mut linker, FileWork::Aside).unwrap();
    }
}
