//! Lives of Pods on virtual time, written down as they go: each line that a guest prints, each
//! change of the status, each Event, with the Pod's own time.

use std::fmt::Display;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant as RealInstant};

use k8s_openapi::api::core::v1::PodStatus;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::image::Compiler;
use crate::logs::{LogLine, LogSink};
use crate::manifest::{self, Source};
use crate::pod::{Folders, Host, Pod, PodBuilder, VirtualTime};
use crate::worker::Finished;

/// Guests are compiled once for all tests.
static WORLD: LazyLock<(TempDir, Host)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let folders = Folders::below(folder.path());
    let host = Host::builder(folders).compiler(Compiler::InProcess).build().unwrap();
    (folder, host)
});

/// A runtime whose clock is paused, as `#[tokio::test(start_paused = true)]` makes it.
pub(super) fn paused() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// The image of a guest that `cargo xtask guests` builds; `p1/toolbox` is one of WASI 0.1.
pub(super) fn image(guest: &str) -> String {
    let (target, name) = match guest.strip_prefix("p1/") {
        Some(name) => ("wasm32-wasip1", name),
        None => ("wasm32-wasip2", guest),
    };
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-examples/target");
    let file = built.join(target).join("release").join(format!("{name}.wasm"));
    assert!(file.exists(), "{} is missing: run `cargo xtask guests`", file.display());
    file.display().to_string()
}

/// The image of a guest in text format.
pub(super) fn text_image(name: &str, text: &str) -> String {
    let file = WORLD.0.path().join(format!("{name}.wat"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// A builder for the Pod with this `spec`, in YAML; `{guest:NAME}` is the path of an image.
pub(super) fn builder(spec: &str) -> PodBuilder {
    let mut spec = spec.to_owned();
    while let Some((before, rest)) = spec.split_once("{guest:") {
        let (name, after) = rest.split_once('}').unwrap();
        spec = format!("{before}{}{after}", image(name));
    }
    let text = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: life}}\nspec:\n{spec}");
    let source = Source { name: "pod.yaml".to_owned(), bytes: text.into_bytes() };
    let mut manifest = manifest::load(&[source]).unwrap_or_else(|errors| panic!("{errors}"));
    PodBuilder::new(&WORLD.1, manifest.pods.remove(0)).objects(manifest)
}

/// A life that is over.
pub(super) struct Life {
    pub(super) trace: String,
    pub(super) finished: Finished,
    /// In real time.
    pub(super) took: Duration,
}

impl Life {
    /// The Pod with this `spec`, from its beginning to its end, in a runtime of its own.
    pub(super) fn of(spec: &str, time: VirtualTime) -> Self {
        Self::of_builder(builder(spec), time)
    }

    pub(super) fn of_builder(builder: PodBuilder, time: VirtualTime) -> Self {
        let began = real_now();
        let runtime = paused();
        let (trace, finished) = runtime.block_on(live(builder, time));
        drop(runtime);
        Self { trace, finished, took: began.elapsed() }
    }

    /// The lines of the trace that hold `text`.
    #[track_caller]
    pub(super) fn lines(&self, text: &str) -> Vec<&str> {
        let lines: Vec<&str> = self.trace.lines().filter(|line| line.contains(text)).collect();
        assert!(!lines.is_empty(), "nothing says {text:?}:\n{}", self.trace);
        lines
    }

    /// What the guests printed, without the times.
    pub(super) fn output(&self) -> Vec<&str> {
        let lines = self.trace.lines().filter_map(|line| line.split_once(" > "));
        lines.map(|(_, said)| said).collect()
    }

    pub(super) fn container(&self, name: &str) -> k8s_openapi::api::core::v1::ContainerStatus {
        let containers = self.finished.status.container_statuses.iter().flatten();
        containers.into_iter().find(|status| status.name == name).unwrap().clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "how long virtual time takes in real time")]
fn real_now() -> RealInstant {
    RealInstant::now()
}

/// Both lives are one, byte for byte.
#[track_caller]
pub(super) fn assert_same(one: &Life, other: &Life, which: impl Display) {
    let lines = one.trace.lines().zip(other.trace.lines()).enumerate();
    for (number, (one, other)) in lines {
        assert_eq!(one, other, "{which}: line {number}");
    }
    assert!(one.trace == other.trace, "{which}: one life is longer");
}

async fn live(builder: PodBuilder, time: VirtualTime) -> (String, Finished) {
    let trace = Trace { start: Instant::now(), lines: Arc::default() };
    let notes = trace.clone();
    let pod: Pod = builder
        .virtual_time(time)
        .log_sink(Arc::new(trace.clone()))
        .on_note(move |note| notes.push(format_args!("note: {note}")))
        .build()
        .unwrap();
    let handle = pod.handle();
    let mut watchers = JoinSet::new();
    let (mut status, mut events) = (handle.status(), handle.events().subscribe());
    let (statuses, told) = (trace.clone(), trace.clone());
    watchers.spawn(async move {
        while status.changed().await.is_ok() {
            statuses.push(shown(&status.borrow_and_update()));
        }
    });
    watchers.spawn(async move {
        while let Ok(recorded) = events.recv().await {
            let event = &recorded.event;
            told.push(format_args!(
                "{} {} {} (x{}, {})",
                event.severity, event.reason, event.message, recorded.count, recorded.last
            ));
        }
    });
    drop(handle);
    let finished = pod.run().await;
    while watchers.join_next().await.is_some() {}
    let lines = trace.lines.lock().unwrap_or_else(PoisonError::into_inner);
    (lines.join("\n"), finished)
}

fn shown(status: &PodStatus) -> String {
    format!("status {}", serde_json::to_string(status).unwrap())
}

#[derive(Clone)]
struct Trace {
    start: Instant,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Trace {
    fn push(&self, what: impl Display) {
        let line = format!("{:?} {what}", self.start.elapsed());
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

impl LogSink for Trace {
    fn line(&self, line: &LogLine<'_>) {
        let text = String::from_utf8_lossy(line.bytes);
        self.push(format_args!("{} > {text}", line.container));
    }
}
