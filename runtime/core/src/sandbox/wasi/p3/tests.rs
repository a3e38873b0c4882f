//! Components of 0.3 on a Pod's network: two runs of `toolbox-p3` talk to each other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::time::timeout;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p3::bindings::Command;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

use super::link_interface;
use crate::sandbox::network::{Endpoint, Network, NetworkConfig};
use crate::sandbox::wasi::{NetworkCtxView, NetworkView};

/// For what must happen: the tests that pass never wait for it.
const GENEROUS: Duration = Duration::from_secs(60);

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    endpoint: Arc<Endpoint>,
    http: (WasiHttpCtx, NoHttp),
}

/// The toolbox imports an HTTP client too; these tests ask for nothing by it.
struct NoHttp;

type Ended = Box<dyn Future<Output = Result<(), HttpError>> + Send>;

impl WasiHttpHooks for NoHttp {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _ended: Ended,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Ended), HttpError>> + Send> {
        panic!("no test here makes a request")
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let (ctx, hooks) = &mut self.http;
        WasiHttpCtxView { hooks, table: &mut self.table, ctx }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl NetworkView for State {
    fn network(&mut self) -> NetworkCtxView<'_> {
        NetworkCtxView { table: &mut self.table, endpoint: &self.endpoint }
    }
}

/// Compiled once for all tests: it takes seconds.
static TOOLBOX: LazyLock<(Engine, Component)> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).unwrap();
    let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target");
    let file = guests.join("wasm32-wasip2/release/toolbox_p3.wasm");
    assert!(file.exists(), "{} is missing: run `cargo xtask guests`", file.display());
    let component = Component::from_file(&engine, file).unwrap();
    (engine, component)
});

struct Pod {
    network: Arc<Network>,
}

impl Pod {
    fn new() -> Self {
        let ips = vec![
            IpAddr::V4(Ipv4Addr::new(10, 244, 0, 2)),
            IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2)),
        ];
        Self { network: Network::new(NetworkConfig::new("pod", ips)) }
    }

    /// Runs the toolbox; gives what it printed, and whether it was content.
    async fn toolbox(&self, words: &[&str]) -> (String, bool) {
        let printed = MemoryOutputPipe::new(1 << 16);
        let mut builder = WasiCtxBuilder::new();
        builder.arg("toolbox").args(words).stdout(printed.clone()).stderr(printed.clone());
        let state = State {
            wasi: builder.build(),
            table: ResourceTable::new(),
            endpoint: Arc::new(self.network.endpoint()),
            http: (WasiHttpCtx::new(), NoHttp),
        };
        let (engine, component) = &*TOOLBOX;
        let mut linker = Linker::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi::p3::add_to_linker(&mut linker).unwrap();
        wasmtime_wasi_http::p3::add_to_linker(&mut linker).unwrap();
        linker.allow_shadowing(true);
        for interface in ["wasi:sockets/types", "wasi:sockets/ip-name-lookup"] {
            assert!(link_interface(&mut linker, interface).unwrap());
        }
        assert!(!link_interface(&mut linker, "wasi:cli/run").unwrap());
        let mut store = Store::new(engine, state);
        let command = Command::instantiate_async(&mut store, component, &linker).await.unwrap();
        let run = store.run_concurrent(async move |store| {
            let run = command.wasi_cli_run().call_run(store).await;
            std::future::poll_fn(|context| store.poll_no_interesting_tasks(context)).await;
            run
        });
        let result = timeout(GENEROUS, run).await.expect("it waits for ever").unwrap().unwrap();
        (String::from_utf8(printed.contents().to_vec()).unwrap(), result.is_ok())
    }

    /// A server and clients, tried until the server listens.
    async fn talk(&self, server: &[&str], client: &[&str]) -> String {
        let clients = async {
            loop {
                let (printed, content) = self.toolbox(client).await;
                if content || !printed.contains("ConnectionRefused") {
                    return printed;
                }
            }
        };
        let ((server, content), client) = tokio::join!(self.toolbox(server), clients);
        assert!(content, "{server}");
        client
    }
}

#[tokio::test]
async fn two_components_talk_over_tcp_of_both_families() {
    let pod = Pod::new();
    for address in ["127.0.0.1:7000", "10.244.0.2:7001", "[::1]:7002", "[fd00::2]:7003"] {
        let printed = pod.talk(&["tcp-echo", address, "1"], &["tcp-send", address, "hello"]).await;
        assert_eq!(printed.trim_end(), "hello", "{address}");
    }
}

#[tokio::test]
async fn two_components_talk_over_udp() {
    let pod = Pod::new();
    let printed =
        pod.talk(&["udp-echo", "0.0.0.0:7000", "1"], &["udp-send", "10.244.0.2:7000", "hello"]);
    assert_eq!(printed.await.trim_end(), "hello");
}

#[tokio::test]
async fn errors_have_their_names() {
    let pod = Pod::new();
    let (refused, content) = pod.toolbox(&["tcp-send", "127.0.0.1:9", "hello"]).await;
    assert!(!content && refused.contains("ConnectionRefused"), "{refused}");
    let taken = pod.network.endpoint();
    let _listener = taken.listen("0.0.0.0:7000".parse().unwrap()).unwrap();
    let (in_use, content) = pod.toolbox(&["tcp-echo", "127.0.0.1:7000", "1"]).await;
    assert!(!content && in_use.contains("AddressInUse"), "{in_use}");
}

#[tokio::test]
async fn names_are_those_of_the_pod() {
    let pod = Pod::new();
    let (printed, _) = pod.toolbox(&["resolve", "localhost"]).await;
    assert!(printed.lines().any(|line| line == "127.0.0.1"), "{printed}");
    let (printed, _) = pod.toolbox(&["resolve", "pod"]).await;
    assert!(printed.lines().any(|line| line == "10.244.0.2"), "{printed}");
    let (printed, content) = pod.toolbox(&["resolve", "no one"]).await;
    assert!(!content && printed.contains("InvalidArgument"), "{printed}");
}
