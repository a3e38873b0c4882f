//! Core modules with sockets: a Rust program on std, which also calls what std does not.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use wasmtime::{Engine, Linker, Module, Store, ValType};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::link::WASI;
use super::*;
use crate::sandbox::filesystem::FileTraffic;
use crate::sandbox::ipc::RunIpc;
use crate::sandbox::network::{Endpoint, Network, NetworkConfig, NetworkError};

/// For what must happen: the tests that pass never wait for it.
const GENEROUS: Duration = Duration::from_secs(60);

struct State {
    wasi: WasiP1Ctx,
    descriptors: Descriptors,
    files: FileTraffic,
    ipc: IpcDescriptors,
}

impl ModuleView for State {
    fn module(&mut self) -> ModuleCtxView<'_> {
        ModuleCtxView {
            wasi: &mut self.wasi,
            descriptors: &mut self.descriptors,
            ipc: &mut self.ipc,
            files: &self.files,
        }
    }
}

fn network() -> Arc<Network> {
    Network::new(NetworkConfig::new("pod", vec![IpAddr::V4(Ipv4Addr::new(10, 244, 0, 2))]))
}

fn ports() -> [ListenPort; 2] {
    [
        ListenPort { number: 7001, name: Some("echo".to_owned()) },
        ListenPort { number: 7002, name: None },
    ]
}

/// Compiles the guest with the compiler that compiles us.
fn compile(folder: &Path) -> Vec<u8> {
    let source = folder.join("guest.rs");
    let wasm = folder.join("guest.wasm");
    std::fs::write(&source, include_str!("tests/guest.rs")).unwrap();
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .args(["--edition=2024", "--target=wasm32-wasip1", "-Copt-level=1", "-o"])
        .args([&wasm, &source])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(wasm).unwrap()
}

/// Runs the guest with two listeners and one directory; gives what it printed.
async fn run(endpoint: &Endpoint) -> String {
    let folder = tempfile::tempdir().unwrap();
    let wasm = compile(folder.path());
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("greeting"), "hello from a file").unwrap();

    let engine = Engine::default();
    let module = Module::new(&engine, wasm).unwrap();
    assert!(wants_listeners(&module));
    let stdout = MemoryOutputPipe::new(1 << 16);
    let mut builder = WasiCtxBuilder::new();
    builder
        .stdout(stdout.clone())
        .inherit_stderr()
        .envs(&environment(&ports()))
        .preopened_dir(&data, "/data", FsPerms::ReadWrite)
        .unwrap();
    let state = State {
        wasi: builder.build_p1(),
        descriptors: Descriptors::new(listen(endpoint, &ports()).unwrap(), 1),
        files: FileTraffic::default(),
        ipc: IpcDescriptors::new(RunIpc::apart(), &[]),
    };
    let mut linker = Linker::new(&engine);
    add_to_linker(&mut linker, &module).unwrap();
    let mut store = Store::new(&engine, state);
    let instance = linker.instantiate_async(&mut store, &module).await.unwrap();
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").unwrap();
    let ended = start.call_async(&mut store, ()).await;
    let printed = String::from_utf8(stdout.contents().to_vec()).unwrap();
    ended.unwrap_or_else(|error| panic!("{error:?}\n{printed}"));
    // Twice the greeting; what it prints is of no file.
    let files = &store.data().files;
    assert_eq!((files.read_bytes(), files.written_bytes()), (34, 0));
    printed
}

/// All functions that wasmtime has for WASI 0.1, as the imports of a module.
fn importing_all(engine: &Engine) -> (Module, usize) {
    let mut all = Linker::new(engine);
    p1::add_to_linker_async(&mut all, |data: &mut State| &mut data.wasi).unwrap();
    let descriptors = Descriptors::new(Vec::new(), 0);
    let (wasi, files) = (WasiCtxBuilder::new().build_p1(), FileTraffic::default());
    let ipc = IpcDescriptors::new(RunIpc::apart(), &[]);
    let mut store = Store::new(engine, State { wasi, descriptors, files, ipc });
    let functions: Vec<_> =
        all.iter(&mut store).map(|(_, name, it)| (name.to_owned(), it)).collect();
    let mut text = String::from("(module");
    for (name, function) in &functions {
        let types = function.clone().into_func().unwrap().ty(&store);
        let list = |types: &mut dyn Iterator<Item = ValType>| {
            types.map(|one| one.to_string()).collect::<Vec<_>>().join(" ")
        };
        let (takes, gives) = (list(&mut types.params()), list(&mut types.results()));
        text += &format!("(import {WASI:?} {name:?} (func (param {takes}) (result {gives})))");
    }
    text += ")";
    (Module::new(engine, wat::parse_str(text).unwrap()).unwrap(), functions.len())
}

#[test]
fn every_function_is_linked_with_its_type() {
    let engine = Engine::default();
    let (module, count) = importing_all(&engine);
    assert!(count > 40, "{count}");
    let mut linker = Linker::<State>::new(&engine);
    linker.allow_shadowing(true);
    for import in module.imports() {
        stock::link(&mut linker, import.name()).unwrap();
    }
    any_exit_code(&mut linker, WASI).unwrap();
    linker.instantiate_pre(&module).unwrap();
}

#[tokio::test]
async fn a_guest_accepts_polls_and_talks() {
    let network = network();
    let endpoint = network.endpoint();
    let client = async {
        // Until the guest listens.
        let mut second = loop {
            match network.connect(7002).await {
                Ok(stream) => break stream,
                Err(NetworkError::ConnectionRefused) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        };
        second.write_all(b"ping").await.unwrap();
        let mut answer = [0; 4];
        second.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"pong");
        second.shutdown().await.unwrap();
        // Three buffers of 256 KiB: the guest's write waits for us.
        let mut rest = Vec::new();
        second.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest.len(), 768 << 10);
        let mut first = network.connect(7001).await.unwrap();
        first.write_all(b"one ").await.unwrap();
        let mut ready = [0; 1];
        first.read_exact(&mut ready).await.unwrap();
        first.write_all(b"two").await.unwrap();
        first.read_to_end(&mut Vec::new()).await.unwrap();
    };
    let both = async { tokio::join!(run(&endpoint), client) };
    let (printed, ()) = timeout(GENEROUS, both).await.expect("the guest waits for ever");
    insta::assert_snapshot!(printed, @r#"
    2 echo:unknown
    hello from a file
    listener: errno 0 0 kind 6 6 flags 0
    directory: errno 0 0 kind 3 3 flags 0
    nothing: errno 8 8 kind 0 0 flags 0
    listener: errno 0 0 kind 6 6 flags 4
    no caller: WouldBlock
    poll a descriptor that is not there: errno 8
    poll nothing to come but a clock: errno 0
      3: errno 0 kind 0 bytes 0 flags 0
    poll stdout and a listener: errno 0
      2: errno 0 kind 2 bytes 1 flags 0
    poll two listeners and a clock: errno 0
      3: errno 0 kind 1 bytes 1 flags 0
    connection 6 file 7
    again file 7
    connection: errno 0 0 kind 6 6 flags 0
    poll bytes and room: errno 0
      1: errno 0 kind 1 bytes 4 flags 0
      2: errno 0 kind 2 bytes 262144 flags 0
    poll a file and a listener: errno 0
      2: errno 0 kind 1 bytes 1 flags 1
    peek: errno 0 "pi" flags 0
    peek: errno 0 "ping" flags 0
    receive: errno 0 "pin" flags 0
    receive: errno 0 "g" flags 0
    nothing yet: WouldBlock
    poll the end: errno 0
      1: errno 0 kind 1 bytes 0 flags 1
    at the end: errno 0 "" flags 0
    after shutdown: BrokenPipe
    accept on a connection, a file, nothing: 28 57 8
    receive on a listener, stdout, nothing: errno 53 "" flags 7 errno 57 "" flags 7 errno 8 "" flags 7
    send on a listener, with flags: 53 28
    shut down a listener, in no way: 53 28
    seek, sync, list a connection: 70 28 54
    open below a connection: 54
    move 6 to 7: 0
    the old number: Some(8)
    all of it: errno 0 "two" flags 0
    a gap at 3: hello from a file
    "#);
    assert!(matches!(network.connect(7001).await, Err(NetworkError::ConnectionRefused)));
}

#[tokio::test]
async fn two_containers_cannot_have_one_port() {
    let network = network();
    let (first, second) = (network.endpoint(), network.endpoint());
    let held = listen(&first, &ports()).unwrap();
    let error = listen(&second, &ports()).err().unwrap();
    assert_eq!(error, ListenError { port: 7001, source: NetworkError::AddressInUse });
    drop(held);
    assert!(listen(&second, &ports()).is_ok());
}

#[test]
fn the_environment_is_that_of_socket_activation() {
    assert_eq!(environment(&[]), []);
    let variables =
        environment(&ports()).into_iter().map(|(name, value)| format!("{name}={value}"));
    insta::assert_snapshot!(variables.collect::<Vec<_>>().join("\n"), @r"
    LISTEN_FDS=2
    LISTEN_FDNAMES=echo:unknown
    ");
}
