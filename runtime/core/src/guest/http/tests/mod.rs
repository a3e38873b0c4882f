//! Real handlers on a Pod's network, asked by real clients.

mod probe_cost;

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use futures::{SinkExt as _, StreamExt as _};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use k8s_openapi::api::core::v1::Container;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::executor::{PodExecutor, Task, TaskError, Weight};
use crate::guest::{
    ContainerMemory, Engines, Exceeded, FuelBudget, FuelTank, GuestHost, GuestLimits, HttpSettings,
    OutputBuffer, PodClock, PodMemory, PodRandom, Program, RunSpec, Stdin, run,
};
use crate::image::{CodeCache, Compiler, Reservation};
use crate::lifecycle::{Exit, ExitReason};
use crate::sandbox::Stop;
use crate::sandbox::ipc::{IpcLimits, PodIpc};
use crate::sandbox::network::{Network, NetworkConfig};

/// Longer than any test may take; only a hang gets there.
const HANG: Duration = Duration::from_secs(60);

const PORT: u16 = 8080;

/// Compiled once for all tests.
static CACHE: LazyLock<(TempDir, CodeCache)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let cache = CodeCache::open(folder.path(), Reservation::Whole, Compiler::InProcess).unwrap();
    (folder, cache)
});

struct World {
    executor: Arc<PodExecutor>,
    engines: Engines,
    network: Arc<Network>,
    log: OutputBuffer,
    settings: HttpSettings,
    memory: Arc<ContainerMemory>,
    cache: CodeCache,
    fuel: Option<Arc<FuelTank>>,
    stop: Stop,
    clients: JoinSet<()>,
}

impl World {
    fn new() -> Self {
        let executor = PodExecutor::threads(2);
        let ticked = executor.clone();
        Self {
            executor,
            engines: Engines::with_reservation(Reservation::Whole, move |engine| {
                ticked.register(engine);
            }),
            network: Network::new(NetworkConfig::new("pod", Vec::new())),
            log: OutputBuffer::new(1 << 20),
            settings: HttpSettings::default(),
            memory: PodMemory::new(1 << 30).container("web", None, Exceeded::Deny),
            cache: CACHE.1.clone(),
            fuel: None,
            stop: Stop::default(),
            clients: JoinSet::new(),
        }
    }

    async fn program(&self, guest: &str) -> Program {
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target");
        let file = guests.join(format!("wasm32-wasip2/release/{guest}.wasm"));
        assert!(file.exists(), "{} is missing: run `cargo xtask guests`", file.display());
        Program::prepare(&self.engines, &self.cache, &file, || {}).await.unwrap()
    }

    /// Starts a handler; it listens when this returns.
    async fn start(&self, guest: &str) -> Task<Exit> {
        let program = self.program(guest).await;
        let mut task = self.begin(program);
        loop {
            tokio::select! {
                biased;
                exit = &mut task => panic!("it ended: {exit:?}"),
                listening = self.network.connect(self.settings.port) => {
                    if listening.is_ok() {
                        return task;
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }

    fn begin(&self, program: Program) -> Task<Exit> {
        let account = self.executor.account("web", Weight::MIN, None);
        let host = GuestHost {
            endpoint: Arc::new(self.network.endpoint()),
            files: Arc::default(),
            account: account.clone(),
            clock: PodClock::real(),
            random: PodRandom::System,
            pace: None,
            containers: 1,
            ipc: PodIpc::new(IpcLimits::default()),
        };
        let spec = RunSpec {
            run: "web/0".to_owned(),
            argv: vec!["web".to_owned()],
            env: Vec::new(),
            cwd: None,
            stdin: Stdin::Closed,
            stdout: Arc::new(self.log.clone()),
            stderr: Arc::new(self.log.clone()),
            tty: false,
            terminal: None,
            ports: Vec::new(),
            http: self.settings,
            limits: GuestLimits::default(),
            mounts: Vec::new(),
            memory: self.memory.clone(),
            fuel: self.fuel.clone(),
        };
        account.spawn(run(program, host, spec, self.stop.clone()))
    }

    async fn client(&mut self) -> Client {
        let stream = self.network.connect(self.settings.port).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        self.clients.spawn(async move {
            let _ = connection.await;
        });
        Client { sender }
    }

    /// The answer to a request on a connection of its own: status, then body.
    async fn get(&mut self, path: &str) -> String {
        self.client().await.get(path).await
    }

    fn log(&self) -> String {
        String::from_utf8(self.log.contents()).unwrap()
    }

    /// Waits until something is so.
    async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !is_so(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(HANG, waiting).await.unwrap_or_else(|_| panic!("{what}; log: {}", self.log()));
    }
}

struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Client {
    async fn send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        timeout(HANG, self.sender.send_request(request)).await.expect("it is answered")
    }

    async fn get(&mut self, path: &str) -> String {
        self.post(path, Bytes::new()).await
    }

    async fn post(&mut self, path: &str, body: Bytes) -> String {
        let request = Request::post(path).header("host", "web").body(Full::new(body)).unwrap();
        match self.send(request).await {
            Ok(response) => text(response).await,
            Err(error) => format!("{error}"),
        }
    }
}

async fn text(response: Response<Incoming>) -> String {
    let status = response.status().as_u16();
    match timeout(HANG, response.into_body().collect()).await.expect("the body ends") {
        Ok(body) => format!("{status} {}", String::from_utf8_lossy(&body.to_bytes())),
        Err(_) => format!("{status} and a broken body"),
    }
}

/// Sends bytes as they are, the last of them for a last request, and reads to the end.
async fn raw(network: &Network, bytes: &str) -> String {
    let mut stream = network.connect(PORT).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(HANG, stream.read_to_string(&mut answer)).await.expect("it ends").unwrap();
    answer
}

const BOTH: [&str; 2] = ["http_toolbox", "http_toolbox_p3"];

#[tokio::test]
async fn handlers_answer() {
    for guest in BOTH {
        let mut world = World::new();
        let _web = world.start(guest).await;
        let mut client = world.client().await;
        assert_eq!(client.get("/hello").await, "200 hello\n", "{guest}");
        assert_eq!(client.get("/nothing").await, "404 nothing is done at this path\n");
        let request = Request::get("/headers")
            .header("host", "web:81")
            .header("x-colour", "blue")
            .body(Full::default());
        let headers = text(client.send(request.unwrap()).await.unwrap()).await;
        let scheme = "Some(Scheme::Http)";
        assert_eq!(headers, format!("200 Method::Get {scheme} to web:81\nx-colour: blue\n"));
    }
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    for guest in BOTH {
        let mut world = World::new();
        let _web = world.start(guest).await;
        let stream = world.network.connect(PORT).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        world.clients.spawn(async move {
            let _ = connection.await;
        });
        let (mut body, sent) = futures::channel::mpsc::channel::<Bytes>(1);
        let sent = StreamBody::new(sent.map(|part| Ok::<_, Infallible>(Frame::data(part))));
        let request = Request::post("/echo").header("host", "web").body(sent).unwrap();
        let response = timeout(HANG, sender.send_request(request)).await.unwrap().unwrap();
        let mut echoed = response.into_body();
        // Each part comes back before the next one goes out.
        for part in ["one", "two", "three"] {
            body.send(Bytes::from_static(part.as_bytes())).await.unwrap();
            let frame = timeout(HANG, echoed.frame()).await.expect("it comes back").unwrap();
            assert_eq!(frame.unwrap().into_data().unwrap(), part);
        }
        drop(body);
        assert!(timeout(HANG, echoed.frame()).await.expect("it ends").is_none(), "{guest}");
        let large = Bytes::from(vec![b'y'; 3 << 20]);
        let mut client = world.client().await;
        let answer = client.post("/echo", large.clone()).await;
        assert_eq!(answer.len(), 4 + large.len(), "{guest}");
    }
}

#[tokio::test]
async fn each_request_has_a_fresh_instance_unless_reuse_is_asked_for() {
    for guest in BOTH {
        let mut world = World::new();
        let _web = world.start(guest).await;
        let mut client = world.client().await;
        for _ in 0..3 {
            assert_eq!(client.get("/count").await, "200 1\n");
        }

        let mut world = World::new();
        world.settings.reuse = NonZeroU32::new(3).unwrap();
        let _web = world.start(guest).await;
        let mut client = world.client().await;
        let mut counts = String::new();
        for _ in 0..7 {
            counts += client.get("/count").await.trim_start_matches("200 ").trim_end();
        }
        assert_eq!(counts, "1231231", "{guest}");
    }
}

#[tokio::test]
async fn an_instance_that_changed_is_not_reused() {
    let mut world = World::new();
    world.settings.reuse = NonZeroU32::new(100).unwrap();
    let _web = world.start("http_toolbox").await;
    for spoils in ["/leak/65", "/grow/4", "/trap", "/trap/late", "/exit"] {
        assert_eq!(world.get("/count").await, "200 1\n", "before {spoils}");
        assert_eq!(world.get("/count").await, "200 2\n", "before {spoils}");
        world.get(spoils).await;
    }
}

/// Asks for all of `paths` at the same time, each over a connection of its own.
async fn at_once(world: &mut World, paths: &[impl AsRef<str>]) -> Vec<String> {
    let mut clients = Vec::new();
    for path in paths {
        clients.push((world.client().await, path.as_ref()));
    }
    join_all(clients.iter_mut().map(|(client, path)| client.get(path))).await
}

#[tokio::test]
async fn an_instance_that_logs_or_forgets_a_little_is_reused() {
    let mut world = World::new();
    world.settings.reuse = NonZeroU32::new(100).unwrap();
    let _web = world.start("http_toolbox").await;
    for path in ["/say/hello", "/begin/half", "/leak/8", "/grow/1"] {
        world.get(path).await;
    }
    assert_eq!(world.get("/count").await, "200 5\n");
    // A request's last line has its end, so that it is not another's beginning.
    assert_eq!(frameless(&world.log()), "said hello\nhalf\n");
}

#[tokio::test]
async fn lines_of_requests_at_the_same_time_stay_whole() {
    let mut world = World::new();
    let _web = world.start("http_toolbox").await;
    let paths: Vec<String> = (10..30).map(|word| format!("/say/{word}")).collect();
    for answer in at_once(&mut world, &paths).await {
        assert_eq!(answer, "200 said\n");
    }
    let log = frameless(&world.log());
    let mut lines: Vec<&str> = log.lines().collect();
    lines.sort_unstable();
    let said: Vec<String> = (10..30).map(|word| format!("said {word}")).collect();
    assert_eq!(lines, said);
}

#[tokio::test]
async fn a_request_for_which_there_is_no_memory_waits_for_others() {
    for guest in BOTH {
        let mut world = World::new();
        world.memory = PodMemory::new(1 << 30).container("web", Some(7 << 20), Exceeded::Deny);
        let _web = world.start(guest).await;
        let answers = at_once(&mut world, &["/sleep/5"; 30]).await;
        assert!(answers.iter().all(|answer| answer.starts_with("200 ")), "{answers:?}");
    }
    // Where one alone finds none, nobody waits, however many there are.
    let mut world = World::new();
    world.memory = PodMemory::new(1 << 30).container("web", Some(1 << 20), Exceeded::Deny);
    let _web = world.start("http_toolbox").await;
    let answers = at_once(&mut world, &["/hello"; 10]).await;
    assert!(answers.iter().all(|answer| answer.starts_with("500 ")), "{answers:?}");
}

#[tokio::test]
async fn a_handler_that_fails_gives_500_and_the_next_request_is_fine() {
    let mut world = World::new();
    let _web = world.start("http_toolbox").await;
    let mut client = world.client().await;
    for path in ["/trap", "/trap/soon", "/exit", "/silent", "/error", "/unfinished"] {
        assert_eq!(client.get(path).await, "500 the handler failed\n", "{path}");
        assert_eq!(client.get("/hello").await, "200 hello\n", "after {path}");
    }
    for path in ["/trap/late", "/unfinished/late"] {
        assert_eq!(world.get(path).await, "200 and a broken body", "{path}");
        assert_eq!(world.get("/hello").await, "200 hello\n", "after {path}");
    }
    insta::assert_snapshot!(frameless(&world.log()), @r"
    wasmpod: POST /trap: wasm trap: wasm `unreachable` instruction executed
    wasmpod: POST /trap/soon: wasm trap: wasm `unreachable` instruction executed
    wasmpod: POST /exit: the handler exited with code 1
    wasmpod: POST /silent: the handler returned without a response
    wasmpod: POST /error: the handler answered with the error ErrorCode::ConfigurationError
    wasmpod: POST /unfinished: its response is unfinished: HTTP protocol error
    wasmpod: POST /trap/late: wasm trap: wasm `unreachable` instruction executed
    wasmpod: POST /unfinished/late: its response is unfinished: HTTP protocol error
    ");
    assert_eq!(world.memory.used(), 0);
}

#[tokio::test]
async fn an_async_handler_that_fails_gives_500_and_the_next_request_is_fine() {
    let mut world = World::new();
    let _web = world.start("http_toolbox_p3").await;
    let mut client = world.client().await;
    for path in ["/trap", "/error"] {
        assert_eq!(client.get(path).await, "500 the handler failed\n", "{path}");
        assert_eq!(client.get("/hello").await, "200 hello\n", "after {path}");
    }
    assert!(!world.get("/trap/soon").await.starts_with("200 so far"));
    assert_eq!(world.get("/trap/late").await, "200 and a broken body");
    assert_eq!(world.get("/hello").await, "200 hello\n");
    insta::assert_snapshot!(frameless(&world.log()), @r"
    wasmpod: POST /trap: wasm trap: wasm `unreachable` instruction executed
    wasmpod: POST /error: the handler answered with the error ErrorCode::ConfigurationError
    wasmpod: POST /trap/soon: wasm trap: wasm `unreachable` instruction executed
    wasmpod: POST /trap/late: wasm trap: wasm `unreachable` instruction executed
    ");
    world.until("all memory is given back", |world| world.memory.used() == 0).await;
}

/// A log without the frames of its traps.
fn frameless(log: &str) -> String {
    let lines = log.lines().filter(|line| !line.starts_with("  at "));
    lines.map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn more_requests_than_the_pool_has_places_wait_their_turn() {
    for guest in BOTH {
        let mut world = World::new();
        // Of a thousand places, so many are left.
        let web = world.program(guest).await;
        let taken = web.shared.places.clone().try_acquire_many_owned(974).unwrap();
        let _web = world.start(guest).await;
        let mut clients = Vec::new();
        for _ in 0..200 {
            clients.push(world.client().await);
        }
        let requests = clients.iter_mut().map(async |client| {
            let mut answers = Vec::new();
            for _ in 0..5 {
                answers.push(client.get("/hello").await);
            }
            answers
        });
        let answers: Vec<_> = join_all(requests).await.concat();
        assert_eq!(answers.len(), 1000);
        assert!(answers.iter().all(|answer| answer == "200 hello\n"), "{guest}");
        drop(taken);
    }
}

#[tokio::test]
async fn a_request_ends_at_its_timeout() {
    for guest in BOTH {
        let mut world = World::new();
        world.settings.timeout = Some(Duration::from_millis(50));
        let _web = world.start(guest).await;
        assert_eq!(world.get("/spin").await, "504 the handler took too long\n", "{guest}");
        assert_eq!(world.get("/hello").await, "200 hello\n", "{guest}");
        if guest == "http_toolbox" {
            assert_eq!(world.get("/sleep/60000").await, "504 the handler took too long\n");
            assert_eq!(world.get("/spin/late").await, "200 and a broken body");
        }
        world.until("all memory is given back", |world| world.memory.used() == 0).await;
    }
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_guest_along() {
    for path in ["/spin", "/sleep/600000", "/spin/late", "/stream/100000000"] {
        let mut world = World::new();
        let _web = world.start("http_toolbox").await;
        let mut stream = world.network.connect(PORT).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: web\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        world.until("the guest runs", |world| world.memory.used() > 0).await;
        drop(stream);
        world.until("its memory is given back", |world| world.memory.used() == 0).await;
        assert_eq!(world.get("/hello").await, "200 hello\n", "after {path}");
    }
}

#[tokio::test]
async fn work_after_a_complete_response_is_done_in_the_background() {
    let mut world = World::new();
    let _web = world.start("http_toolbox").await;
    assert_eq!(world.get("/sleep/late/50").await, "200 first\n");
    world.until("it went on", |world| world.log() == "slept\n").await;

    let mut world = World::new();
    world.settings.timeout = Some(Duration::from_millis(50));
    let _web = world.start("http_toolbox").await;
    assert_eq!(world.get("/sleep/late/600000").await, "200 first\n");
    world.until("it was cut off", |world| world.memory.used() == 0).await;
    assert_eq!(
        world.log(),
        "wasmpod: POST /sleep/late/600000: still ran after its response when its time was over\n"
    );
}

#[tokio::test]
async fn the_memory_limit_holds_for_all_instances_together() {
    let mut world = World::new();
    world.memory = PodMemory::new(1 << 30).container("web", Some(32 << 20), Exceeded::Deny);
    let _web = world.start("http_toolbox").await;
    assert_eq!(world.get("/grow/16").await, "200 grown\n");
    assert_eq!(world.get("/grow/64").await, "200 denied\n");
    // A client may have its response before the instance is gone.
    world.until("all of it is given back", |world| world.memory.used() == 0).await;
}

#[tokio::test]
async fn a_killing_limit_ends_the_container() {
    let mut world = World::new();
    world.memory = PodMemory::new(1 << 30).container("web", Some(32 << 20), Exceeded::Kill);
    let web = world.start("http_toolbox").await;
    world.get("/grow/64").await;
    let exit = timeout(HANG, web).await.expect("it ends").unwrap();
    assert_eq!((exit.code, exit.reason), (137, ExitReason::OomKilled));
}

#[tokio::test]
async fn all_instances_of_a_run_use_up_one_budget() {
    let mut world = World::new();
    (world.engines, world.cache) = (world.engines.counting(), world.cache.counting());
    let annotations = [("wasmpod.dev/fuel".to_owned(), "3000000".to_owned())].into();
    let budget = FuelBudget::of(Some(&annotations), &Container::default()).unwrap();
    world.fuel = budget.map(FuelBudget::tank);
    let mut web = world.start("http_toolbox").await;
    // A fresh instance each, none of which needs a tenth of it.
    let mut client = world.client().await;
    assert_eq!(client.get("/hello").await, "200 hello\n");
    let exit = loop {
        tokio::select! {
            biased;
            exit = &mut web => break exit.unwrap(),
            _answer = client.get("/hello") => tokio::task::yield_now().await,
        }
    };
    assert_eq!((exit.code, exit.reason), (152, ExitReason::FuelExhausted));
    let message = "the budget of 3000000 units of fuel is used up";
    assert_eq!(exit.message.as_deref(), Some(message));
}

#[tokio::test]
async fn a_stop_lets_begun_requests_finish() {
    for guest in BOTH {
        begun_requests_finish(guest).await;
    }
}

async fn begun_requests_finish(guest: &str) {
    let mut world = World::new();
    let web = world.start(guest).await;
    let mut idle = world.client().await;
    assert_eq!(idle.get("/hello").await, "200 hello\n");
    let mut busy = world.client().await;
    let request = Request::get("/sleep/200").header("host", "web").body(Full::default()).unwrap();
    let (answer, ()) = tokio::join!(busy.send(request), async {
        world.until("it was begun", |world| world.memory.used() > 0).await;
        world.stop.ask(HANG);
        // Whoever comes now is refused, as soon as the run has heard of it.
        world
            .until("it refuses", |world| {
                futures::FutureExt::now_or_never(world.network.connect(PORT))
                    .is_some_and(|connected| connected.is_err())
            })
            .await;
    });
    let answer = answer.unwrap();
    assert_eq!(answer.headers()["connection"], "close");
    assert_eq!(text(answer).await, "200 slept\n");
    assert!(!idle.get("/hello").await.starts_with("200"), "idle ones are closed");
    assert_eq!(timeout(HANG, web).await.expect("it ends").unwrap(), Exit::completed());
}

#[tokio::test]
async fn a_request_that_waits_for_the_stop_is_told_and_answered() {
    for guest in BOTH {
        let mut world = World::new();
        let web = world.start(guest).await;
        let mut waiting = world.client().await;
        let (answer, ()) = tokio::join!(waiting.get("/stop"), async {
            world.until("it waits", |world| world.log().contains("waiting")).await;
            world.stop.ask(Duration::from_secs(3600));
        });
        assert_eq!(answer, "200 SIGTERM, 60 min\n", "{guest}");
        assert_eq!(timeout(HANG, web).await.expect("it ends").unwrap(), Exit::completed());
    }
}

#[tokio::test]
async fn a_kill_ends_everything_and_frees_the_port() {
    let mut world = World::new();
    let web = world.start("http_toolbox").await;
    let mut stuck = world.client().await;
    let request = Request::get("/spin").header("host", "web").body(Full::default()).unwrap();
    let (answer, ended) = tokio::join!(stuck.send(request), async {
        world.until("it was begun", |world| world.memory.used() > 0).await;
        web.abort();
        web.await
    });
    assert!(answer.is_err());
    assert_eq!(ended, Err(TaskError::Aborted));
    let _web = world.start("http_toolbox").await;
    assert_eq!(world.get("/hello").await, "200 hello\n");
}

#[tokio::test]
async fn a_port_that_is_taken_ends_the_run() {
    let world = World::new();
    let _first = world.start("http_toolbox").await;
    let second = world.begin(world.program("http_toolbox").await);
    let exit = timeout(HANG, second).await.expect("it ends").unwrap();
    assert_eq!(exit.code, 1);
    assert_eq!(exit.message.as_deref(), Some("cannot listen on port 8080: address in use"));
}

#[tokio::test]
async fn requests_are_pipelined_and_odd_ones_answered() {
    let world = World::new();
    let _web = world.start("http_toolbox").await;
    let hello = "GET /hello HTTP/1.1\r\nhost: web\r\n\r\n";
    let last = "GET /hello HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n";
    let answers = raw(&world.network, &(hello.repeat(2) + last)).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 3, "{answers}");
    assert_eq!(answers.matches("hello\n").count(), 3, "{answers}");
    assert!(answers.contains("\r\ndate: "), "{answers}");

    let no_host = raw(&world.network, "GET /hello HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(no_host.starts_with("HTTP/1.1 400 Bad Request"), "{no_host}");
    let two =
        raw(&world.network, "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n")
            .await;
    assert!(two.starts_with("HTTP/1.1 400 Bad Request"), "{two}");
    let old = raw(&world.network, "GET /hello HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 OK"), "{old}");
    assert!(old.ends_with("\r\n\r\nhello\n"), "{old}");
    let no_http = raw(&world.network, "what is this\r\n\r\n").await;
    assert!(no_http.starts_with("HTTP/1.1 400 Bad Request"), "{no_http}");
    let expecting = "POST /echo HTTP/1.1\r\nhost: web\r\nexpect: 100-continue\r\n\
                     connection: close\r\ncontent-length: 2\r\n\r\nok";
    let answer = raw(&world.network, expecting).await;
    // The body was there already: nobody needs to be told to go on.
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("ok"), "{answer}");
    let head =
        raw(&world.network, "HEAD /hello HTTP/1.1\r\nhost: web\r\nconnection: close\r\n\r\n").await;
    assert!(head.contains("content-length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[tokio::test]
async fn http_2_by_prior_knowledge() {
    for guest in BOTH {
        let mut world = World::new();
        let web = world.start(guest).await;
        let stream = world.network.connect(PORT).await.unwrap();
        let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
        let (sender, connection) = handshake.await.unwrap();
        world.clients.spawn(async move {
            let _ = connection.await;
        });
        let requests = (0..20).map(|_| {
            let mut sender = sender.clone();
            async move {
                let body = Full::new(Bytes::from_static(b"two"));
                let request = Request::post("http://web/echo").body(body).unwrap();
                let response = timeout(HANG, sender.send_request(request)).await.unwrap().unwrap();
                assert_eq!(response.status(), StatusCode::OK);
                response.into_body().collect().await.unwrap().to_bytes()
            }
        });
        assert!(join_all(requests).await.iter().all(|body| body == "two"), "{guest}");
        world.stop.ask(HANG);
        drop(sender);
        assert_eq!(timeout(HANG, web).await.expect("it ends").unwrap(), Exit::completed());
    }
}

#[tokio::test]
async fn handlers_ask_other_containers_and_learn_what_went_wrong() {
    for guest in BOTH {
        let mut world = World::new();
        let _server = world.start("http_toolbox").await;
        world.settings.port = 8081;
        let _client = world.start(guest).await;
        for (url, answer) in [
            ("http://localhost:8080/hello", "200 hello\n"),
            ("http://127.0.0.1:8080/nothing", "404 nothing is done at this path\n"),
            ("http://[::1]:8080/hello", "200 hello\n"),
            ("http://localhost:8080/trap", "500 the handler failed\n"),
            ("http://localhost:1/", "502 ErrorCode::ConnectionRefused\n"),
            ("http://nobody.svc.cluster.local/", NO_SUCH_NAME),
            // The host's loopback as seen from the Pod, and its cloud's metadata.
            ("http://host.wasmpod.internal/", "502 ErrorCode::HttpRequestDenied\n"),
            ("http://169.254.169.254/latest", "502 ErrorCode::HttpRequestDenied\n"),
        ] {
            assert_eq!(world.get(&format!("/get/{url}")).await, answer, "{guest}: {url}");
        }
        let streamed = world.get("/get/http://localhost:8080/stream/1024").await;
        assert_eq!(streamed.len(), 4 + (1 << 20), "{guest}");
        if guest == "http_toolbox" {
            let broken = world.get("/get/http://localhost:8080/trap/late").await;
            assert_eq!(broken, "200 and a broken body");
        }
    }
}

const NO_SUCH_NAME: &str = "502 ErrorCode::DnsError(DnsErrorPayload { rcode: Some(\"NXDOMAIN\"), \
                            info-code: None })\n";
