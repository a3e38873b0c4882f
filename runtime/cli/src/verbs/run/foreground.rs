//! One Pod in this process, until it ends: its logs and events on the terminal, signals to it.

use std::path::Path;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{Fuse, FusedFuture as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wasmpod::guest::Stdin;
use wasmpod::logs::log_queue;
use wasmpod::pod::{Folders, Host, Neighbour, Pod, PodBuilder, PublishedPort};
use wasmpod::worker::{Finished, PodHandle};
use wasmpod_node::admission::Place;
use wasmpod_node::background::ForegroundPod;
use wasmpod_node::{Node, attend};

use super::bundle::{self, Bundle, Events, Logs};
use super::images;
use super::interrupt::{Interrupt, Interrupts, Signals};
use crate::compiler;
use crate::failure::Failure;
use crate::print::events::{self, Told};
use crate::print::logs::Layout;
use crate::print::printer::{Printer, WAITING, WAITING_EVENTS};
use crate::print::problem;
use crate::process;
use crate::registry;
use crate::toolbox;

/// A process would die of SIGPIPE at once; guests get the shortest grace that Kubernetes has.
const READER_GONE: Duration = Duration::from_secs(2);

/// Runs the Pod of `bundle`; the exit code tells how it ended.
///
/// # Errors
/// What keeps it from being started at all.
pub(crate) async fn run_pod(
    mut bundle: Box<Bundle>,
    root: Option<&Path>,
    signals: Signals,
) -> Result<ExitCode, Failure> {
    let mut interrupts = Interrupts::listen(signals)?;
    let (name, show) = (bundle.name().to_owned(), bundle.show.events);
    let layout = match &bundle.show.logs {
        Logs::Raw => Layout::Raw,
        Logs::Prefixed(names) => Layout::Prefixed(names.clone()),
        Logs::Json => Layout::Json(name.clone()),
    };
    let (queue, lines) = log_queue(WAITING, matches!(layout, Layout::Raw));
    let queue = Arc::new(queue);
    let (tell, told) = mpsc::channel(WAITING_EVENTS);
    let mut helpers = JoinSet::new();
    // A task of its own: below the frame of what polls this one lies more to give back.
    helpers.spawn(process::give_back_memory_behind_start());
    let (builder, place) = build(&mut bundle, root, &mut helpers, &tell)?;
    let pod = builder
        .log_sink(Arc::clone(&queue) as _)
        .build()
        .map_err(|error| Failure::because(&name, &error))?;
    let object = Arc::new(ForegroundPod::new(place.node(), pod.view()));
    let mut attending = JoinSet::new();
    // What it refers to stands in its manifest, not in objects.
    attending.spawn(attend(place, pod.view(), bundle.eviction, Arc::default()));
    let showing = Arc::clone(&object);
    helpers.spawn(async move { match showing.show().await {} });
    let handle = pod.handle();
    let watching = events::watch(&handle, show, name).run(tell.clone());
    let printer = Printer::start(lines, layout, told);
    let mut telling = pin!(watching.fuse());
    let (finished, mut interrupted) =
        watch(pod, &handle, &mut interrupts, telling.as_mut(), &tell, show).await;
    helpers.shutdown().await;
    // Whoever watches the Pod is told of its end.
    attending.join_next().await;
    object.ended(&finished).await;
    drop(object);
    // A guest that is held by a host call keeps its log, but nobody waits for it any more.
    queue.close();
    // Events may come as long as somebody could record one.
    drop(handle);
    let failures = match interrupted {
        Some(Interrupt::ReaderGone) => Vec::new(),
        _ => failures(show, &finished),
    };
    let printing = async {
        if !telling.is_terminated() {
            telling.await;
        }
        for told in failures.into_iter().map(Told::Warning).chain([Told::Last]) {
            // A printer that is gone has no reader.
            let _ = tell.send(told).await;
        }
        printer.finish().await;
    };
    let impatient = unless_interrupted(printing, &mut interrupts).await;
    interrupted = interrupted.or(impatient);
    Ok(match interrupted {
        Some(interrupt) => interrupt.exit_code(),
        None => finished.outcome.exit_code().into(),
    })
}

/// Tells a printer what happens to a Pod.
type Telling<'run, Watching> = Pin<&'run mut Fuse<Watching>>;

/// Waits until all is printed, or until somebody has no patience with a reader that has stopped.
async fn unless_interrupted(
    printing: impl Future<Output = ()>,
    interrupts: &mut Interrupts,
) -> Option<Interrupt> {
    let mut printing = pin!(printing);
    loop {
        tokio::select! {
            biased;
            () = printing.as_mut() => return None,
            interrupt = interrupts.next() => match interrupt {
                // The printer sees it itself.
                Interrupt::ReaderGone => {}
                Interrupt::CtrlC | Interrupt::Terminate | Interrupt::Hangup => {
                    return Some(interrupt);
                }
            },
        }
    }
}

/// Leaves a note for the printer: a terminal that is stopped must not hold up the thread of the
/// Pod's worker. With more waiting than the printer takes, a note is the least of it.
fn note(tell: &mpsc::Sender<Told>, quiet: bool, text: impl Into<String>) {
    if !quiet {
        let _ = tell.try_send(Told::Note(text.into()));
    }
}

fn build(
    bundle: &mut Bundle,
    root: Option<&Path>,
    helpers: &mut JoinSet<()>,
    tell: &mpsc::Sender<Told>,
) -> Result<(PodBuilder, Arc<Place>), Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot start", &error))?;
    let compiler = compiler::find().map_err(|error| Failure::because("cannot start", &error))?;
    let quick_code =
        compiler::quick_code().map_err(|error| Failure::because("cannot start", &error))?;
    let fetcher = registry::fetcher().map_err(|error| Failure::because("cannot start", &error))?;
    let files = registry::files();
    let quiet = bundle.show.events == Events::None;
    let place = Arc::new(Place::new(Node::new(&folders, bundle.node)));
    let told = tell.clone();
    let host = Host::builder(folders)
        .compiler(compiler)
        .quick_code(quick_code)
        .fetcher(fetcher)
        .registries(files.registries, files.policy)
        .toolbox(toolbox::find())
        .on_slow_compile(move |container| {
            let text = format!("compiling the image of `{container}` for this machine, once");
            note(&told, quiet, text);
        })
        .build()
        .map_err(|error| Failure::because("cannot start", &error))?;
    let images = images::find(&bundle.source, &bundle.image_map)?;
    let (pod, objects) = bundle.take_manifest();
    let told = tell.clone();
    let mut builder = PodBuilder::new(&host, pod)
        .objects(objects)
        .images(images)
        .publish(bundle.published.iter().map(PublishedPort::from))
        .allow_net(bundle.allow_net.iter().cloned())
        .scheduler(Arc::clone(&place) as _)
        .on_note(move |text| note(&told, quiet, text));
    if let Some(plan) = bundle.cgroup.take() {
        builder = builder.cgroup_by(plan);
    }
    if let Some(place) = &bundle.place {
        builder =
            builder.among(neighbour(place), bundle.neighbours.iter().map(neighbour).collect());
    }
    if let Some(container) = &bundle.stdin {
        builder = builder.stdin(container, standard_input(helpers));
    }
    Ok((builder, place))
}

fn neighbour(other: &bundle::Neighbour) -> Neighbour {
    Neighbour {
        uid: other.uid.clone(),
        name: other.name.clone(),
        namespace: other.namespace.clone(),
        hostname: other.hostname.clone(),
        subdomain: other.subdomain.clone(),
        ips: other.ips,
        socket: other.socket.clone(),
    }
}

/// Carries this process's standard input to a guest.
fn standard_input(helpers: &mut JoinSet<()>) -> Stdin {
    let (writer, pipe) = wasmpod::guest::input_pipe();
    let (sender, mut chunks) = tokio::sync::mpsc::channel::<Vec<u8>>(4);
    // A thread and not a task: a read of a terminal cannot be taken back, and must not hold up
    // the end of this process.
    let reader = std::thread::Builder::new().name("stdin".into()).stack_size(128 << 10);
    let started = reader.spawn(move || {
        use std::io::Read as _;
        let mut stdin = std::io::stdin().lock();
        let mut chunk = vec![0; 16 << 10];
        while let Ok(length) = stdin.read(&mut chunk) {
            if length == 0 || sender.blocking_send(chunk[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    if let Err(error) = started {
        problem::warning(&format!("standard input is not read: {error}"));
    }
    helpers.spawn(async move {
        while let Some(chunk) = chunks.recv().await {
            writer.write_all(&chunk).await;
        }
    });
    Stdin::Pipe(pipe)
}

/// Runs the Pod while signals come; gives what asked for its end, if something did.
async fn watch(
    pod: Pod,
    handle: &PodHandle,
    interrupts: &mut Interrupts,
    mut telling: Telling<'_, impl Future<Output = ()>>,
    tell: &mpsc::Sender<Told>,
    show: Events,
) -> (Finished, Option<Interrupt>) {
    let mut interrupted = None;
    let mut running = pin!(pod.run());
    loop {
        tokio::select! {
            biased;
            interrupt = interrupts.next() => {
                if interrupted.is_none() && interrupt == Interrupt::CtrlC {
                    note(tell, show == Events::None, "stopping; Ctrl-C again ends it at once");
                }
                interrupted.get_or_insert(interrupt);
                match interrupt {
                    Interrupt::CtrlC | Interrupt::Terminate | Interrupt::Hangup => {
                        handle.interrupt().await;
                    }
                    Interrupt::ReaderGone => handle.stop(Some(READER_GONE)).await,
                }
            }
            finished = running.as_mut() => return (finished, interrupted),
            () = telling.as_mut() => {}
        }
    }
}

/// Why the Pod failed, if nobody has said so.
fn failures(show: Events, finished: &Finished) -> Vec<String> {
    match show {
        Events::Warnings | Events::All => events::failures(&finished.status),
        Events::None | Events::Json => Vec::new(),
    }
}
