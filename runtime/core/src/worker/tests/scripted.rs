//! A runtime whose guests follow a table, and the trace of what a worker makes of them.
//!
//! The trace has one line for each call of the runtime, each Kubernetes Event and each change of
//! the status, with the virtual time since the start of the Pod.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::future::pending;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, PodStatus};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};

use super::super::{Clock, ContainerRuntime, Finished, PodHandle, Run, RunControl, Worker};
use crate::event::{Recorded, Severity};
use crate::lifecycle::{
    Admission, Exit, GoDuration, Hook, ImageError, ImageErrorKind, ImageInfo, ImageOrigin, Outcome,
    Placement, PodFailure, ProbeAnswer, ProbeKind, Sandbox, SandboxError, Spec, StartError,
};

/// What one container's guest does, run by run; the last entry holds for all further runs.
#[derive(Clone, Default)]
pub(super) struct Script {
    images: Vec<Result<(), ImageError>>,
    starts: Vec<Result<(), StartError>>,
    runs: Vec<Guest>,
    image_takes: Duration,
    start_takes: Duration,
    probes: HashMap<ProbeKind, Vec<(Duration, ProbeAnswer)>>,
    hooks: HashMap<Hook, (Duration, Result<(), String>)>,
}

/// One run of a guest.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    ends: Option<(Duration, Exit)>,
    /// How long after a stop it ends, and how; one without ignores stops.
    heeds: Option<(Duration, Exit)>,
    panics: bool,
}

impl Guest {
    /// Ends by itself after so many seconds, with this code.
    pub(super) fn exits(after: u64, code: i32) -> Self {
        let ends = Some((Duration::from_secs(after), Exit::with_code(code)));
        Self { ends, ..Self::serves() }
    }

    /// Runs until it is stopped, and ends at once then.
    pub(super) fn serves() -> Self {
        Self { ends: None, heeds: Some((Duration::ZERO, Exit::stopped())), panics: false }
    }

    /// Takes so many seconds to end once it is stopped, and ends with this code.
    pub(super) fn lingers(mut self, seconds: u64, code: i32) -> Self {
        self.heeds = Some((Duration::from_secs(seconds), Exit::with_code(code)));
        self
    }

    /// Does not hear a stop.
    pub(super) fn deaf(mut self) -> Self {
        self.heeds = None;
        self
    }

    /// Ends with this, whatever the code says.
    pub(super) fn ends_with(mut self, exit: Exit) -> Self {
        self.ends = self.ends.map(|(after, _)| (after, exit));
        self
    }

    /// Takes the host's task down with it.
    pub(super) fn panics() -> Self {
        Self { panics: true, ..Self::serves() }
    }

    async fn run(self, mut stops: watch::Receiver<Stopped>) -> Exit {
        assert!(!self.panics, "the script says so");
        let ends = async {
            match self.ends {
                Some((after, exit)) => {
                    takes(after).await;
                    exit
                }
                None => pending().await,
            }
        };
        let mut killed = stops.clone();
        let heeds = async {
            let _ = stops.wait_for(|stopped| *stopped == Stopped::Asked).await;
            match self.heeds {
                Some((after, exit)) => {
                    sleep(after).await;
                    exit
                }
                None => pending().await,
            }
        };
        let dies = async {
            let _ = killed.wait_for(|stopped| *stopped == Stopped::Killed).await;
            Exit::killed()
        };
        tokio::select! {
            biased;
            exit = ends => exit,
            exit = heeds => exit,
            exit = dies => exit,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    Asked,
    Killed,
}

impl Script {
    pub(super) fn runs(runs: impl Into<Vec<Guest>>) -> Self {
        Self { runs: runs.into(), ..Self::default() }
    }

    pub(super) fn images(mut self, images: impl Into<Vec<Result<(), ImageError>>>) -> Self {
        self.images = images.into();
        self
    }

    pub(super) fn starts(mut self, starts: impl Into<Vec<Result<(), StartError>>>) -> Self {
        self.starts = starts.into();
        self
    }

    /// Answers a probe so, time after time; the last answer holds for all further ones.
    pub(super) fn answers(
        mut self,
        kind: ProbeKind,
        answers: impl IntoIterator<Item = ProbeAnswer>,
    ) -> Self {
        let answers = answers.into_iter().map(|answer| (Duration::ZERO, answer)).collect();
        self.probes.insert(kind, answers);
        self
    }

    /// Has a hook that takes so many seconds and ends so.
    pub(super) fn hook(mut self, hook: Hook, seconds: u64, outcome: Result<(), &str>) -> Self {
        let outcome = outcome.map_err(str::to_owned);
        self.hooks.insert(hook, (Duration::from_secs(seconds), outcome));
        self
    }

    pub(super) fn image_takes(mut self, seconds: u64) -> Self {
        self.image_takes = Duration::from_secs(seconds);
        self
    }

    pub(super) fn start_takes(mut self, seconds: u64) -> Self {
        self.start_takes = Duration::from_secs(seconds);
        self
    }
}

/// Sleeps, but not at all for nothing: a timer of no length waits for the next millisecond.
async fn takes(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// The entry for the try of that number: the last one stands for all after it.
fn nth<T: Clone>(entries: &[T], number: usize) -> Option<T> {
    entries.get(number).or(entries.last()).cloned()
}

pub(super) fn no_image(kind: ImageErrorKind, message: &str) -> Result<(), ImageError> {
    Err(ImageError { kind, message: message.to_owned() })
}

/// A Pod of scripted guests, while it is being written down.
pub(super) struct PodScript {
    spec: Value,
    scripts: HashMap<String, Script>,
    sandboxes: Vec<Result<(), SandboxError>>,
    places: Vec<(Duration, Result<Placement, PodFailure>)>,
}

impl PodScript {
    pub(super) fn new() -> Self {
        Self {
            spec: json!({ "initContainers": [], "containers": [] }),
            scripts: HashMap::new(),
            sandboxes: Vec::new(),
            places: Vec::new(),
        }
    }

    /// Has to ask for its place, and is answered so, each time after so many seconds; there is no
    /// further answer.
    pub(super) fn places(
        mut self,
        answers: impl IntoIterator<Item = (u64, Result<Placement, PodFailure>)>,
    ) -> Self {
        let seconds = |(after, answer)| (Duration::from_secs(after), answer);
        self.places = answers.into_iter().map(seconds).collect();
        self
    }

    /// Sets a field of the Pod's spec.
    pub(super) fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.spec[field] = value.into();
        self
    }

    pub(super) fn container(self, name: &str, script: Script) -> Self {
        self.add("containers", json!({ "name": name }), script)
    }

    pub(super) fn init(self, name: &str, script: Script) -> Self {
        self.add("initContainers", json!({ "name": name }), script)
    }

    pub(super) fn sidecar(self, name: &str, script: Script) -> Self {
        self.add("initContainers", json!({ "name": name, "restartPolicy": "Always" }), script)
    }

    pub(super) fn add(mut self, list: &str, mut container: Value, script: Script) -> Self {
        let name = container["name"].as_str().unwrap().to_owned();
        container["image"] = json!(format!("{name}.wasm"));
        self.spec[list].as_array_mut().unwrap().push(container);
        self.scripts.insert(name, script);
        self
    }

    pub(super) fn sandboxes(mut self, tries: impl Into<Vec<Result<(), SandboxError>>>) -> Self {
        self.sandboxes = tries.into();
        self
    }

    /// Starts the Pod; it runs while the test waits.
    pub(super) fn start(self) -> RunningPod {
        let pod = json!({ "metadata": { "name": "p", "uid": "u" }, "spec": self.spec });
        let mut spec = Spec::new(&serde_json::from_value(pod).unwrap()).unwrap();
        if !self.places.is_empty() {
            spec.admission = Admission::Asked;
        }
        let trace = Trace { lines: Arc::default(), started: Instant::now() };
        let runtime = Arc::new(ScriptedRuntime {
            scripts: self.scripts,
            sandboxes: self.sandboxes,
            places: self.places,
            counts: Mutex::default(),
            trace: trace.clone(),
        });
        let clock = Clock::starting_at("2026-01-01T00:00:00Z".parse().unwrap());
        let (worker, handle) = Worker::new(spec, runtime, clock);
        let mut tasks = tokio::task::JoinSet::new();
        let (end, finished) = oneshot::channel();
        tasks.spawn(trace.clone().watch(handle.clone()));
        tasks.spawn(async move {
            let _ = end.send(worker.run().await);
        });
        RunningPod { handle, trace, finished, tasks }
    }

    /// Runs the Pod for so many seconds and has it stopped; gives it when it has ended.
    pub(super) async fn stopped_after(self, seconds: u64) -> RunningPod {
        let mut pod = self.start();
        pod.pass(seconds).await;
        pod.handle.stop(None).await;
        pod.end().await;
        pod
    }

    /// Runs the Pod to its end and gives its trace.
    pub(super) async fn trace(self) -> String {
        let mut pod = self.start();
        pod.end().await;
        pod.trace()
    }
}

/// A Pod of scripted guests that runs.
pub(super) struct RunningPod {
    pub(super) handle: PodHandle,
    trace: Trace,
    finished: oneshot::Receiver<Finished>,
    tasks: tokio::task::JoinSet<()>,
}

impl RunningPod {
    /// Waits for the end of the Pod, and for the last line of its trace.
    pub(super) async fn end(&mut self) -> Finished {
        let finished = (&mut self.finished).await.expect("the worker ends by itself");
        while self.tasks.join_next().await.is_some() {}
        self.trace.push(&format!("over, exit code {}", finished.outcome.exit_code()));
        finished
    }

    pub(super) async fn outcome(mut self) -> Outcome {
        self.end().await.outcome
    }

    /// Waits until the status is as wanted.
    pub(super) async fn wait_until(&self, wanted: impl Fn(&PodStatus) -> bool) {
        let mut status = self.handle.status();
        let reached = tokio::time::timeout(Duration::from_secs(24 * 60 * 60), async {
            status.wait_for(|status| wanted(status)).await.expect("the Pod still runs");
        });
        reached.await.expect("within a day");
        // The line of the change comes before the line of what the test does about it.
        self.settle().await;
    }

    /// Lets so many seconds of the Pod's life pass.
    pub(super) async fn pass(&self, seconds: u64) {
        sleep(Duration::from_secs(seconds)).await;
        self.settle().await;
    }

    /// Lets everything run that can run now.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }

    pub(super) fn note(&self, text: &str) {
        self.trace.push(text);
    }

    pub(super) fn trace(&self) -> String {
        self.trace.text()
    }

    /// The trace without the lines of Events and statuses: what was done, and when.
    pub(super) fn deeds(&self) -> String {
        let text = self.trace.text();
        let deeds = text.lines().filter(|line| !line.contains(" ~ ") && !line.contains(" | "));
        deeds.collect::<Vec<_>>().join("\n")
    }
}

pub(super) fn restarts(status: &PodStatus) -> i32 {
    let containers = status.container_statuses.iter().flatten();
    containers.map(|container| container.restart_count).sum()
}

pub(super) fn is_running(status: &PodStatus) -> bool {
    status.phase.as_deref() == Some("Running")
}

#[derive(Clone)]
struct Trace {
    lines: Arc<Mutex<Vec<String>>>,
    started: Instant,
}

impl Trace {
    fn push(&self, line: &str) {
        let time = GoDuration(self.started.elapsed()).to_string();
        self.lines.lock().unwrap().push(format!("{time:>7} {line}"));
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Writes down Events and statuses until the Pod is gone.
    async fn watch(self, handle: PodHandle) {
        let (mut status, mut events) = (handle.status(), handle.events().subscribe());
        drop(handle);
        let mut shown = String::new();
        loop {
            tokio::select! {
                biased;
                event = events.recv() => match event {
                    Ok(event) => self.push(&describe_event(&event)),
                    Err(RecvError::Lagged(missed)) => panic!("{missed} Events missed"),
                    Err(RecvError::Closed) => break,
                },
                changed = status.changed() => {
                    let line = describe_status(&status.borrow_and_update());
                    if line != shown {
                        self.push(&line);
                        shown = line;
                    }
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
    }
}

fn describe_event(recorded: &Recorded) -> String {
    let event = &recorded.event;
    let mark = if event.severity == Severity::Warning { "!" } else { "" };
    let whom = event.involved.container().unwrap_or("pod");
    let count = if recorded.count > 1 { format!(" (x{})", recorded.count) } else { String::new() };
    format!("  ~ {whom}: {mark}{}: {}{count}", event.reason, event.message)
}

fn describe_status(status: &PodStatus) -> String {
    let mut line = format!("  | {}", status.phase.as_deref().unwrap_or("-"));
    if let (Some(reason), Some(message)) = (&status.reason, &status.message) {
        write!(line, " ({reason}: {message})").unwrap();
    }
    let init = status.init_container_statuses.iter().flatten();
    for container in init.chain(status.container_statuses.iter().flatten()) {
        write!(line, "; {} {}", container.name, describe_container(container)).unwrap();
    }
    line
}

fn describe_container(status: &ContainerStatus) -> String {
    let mut text = describe_state(status.state.as_ref().unwrap());
    if status.ready {
        text.push_str(", ready");
    }
    if status.restart_count > 0 {
        write!(text, ", restarts {}", status.restart_count).unwrap();
    }
    text
}

fn describe_state(state: &ContainerState) -> String {
    match state {
        ContainerState { waiting: Some(waiting), .. } => {
            let reason = waiting.reason.as_deref().unwrap();
            match &waiting.message {
                Some(message) => format!("{reason} ({message})"),
                None => reason.to_owned(),
            }
        }
        ContainerState { running: Some(_), .. } => "running".to_owned(),
        ContainerState { terminated: Some(terminated), .. } => {
            format!("{} {}", terminated.reason.as_deref().unwrap(), terminated.exit_code)
        }
        _ => "without a state".to_owned(),
    }
}

struct ScriptedRuntime {
    scripts: HashMap<String, Script>,
    sandboxes: Vec<Result<(), SandboxError>>,
    places: Vec<(Duration, Result<Placement, PodFailure>)>,
    counts: Mutex<HashMap<String, usize>>,
    trace: Trace,
}

impl ScriptedRuntime {
    /// How often `what` was done before.
    fn count(&self, what: String) -> usize {
        let mut counts = self.counts.lock().unwrap();
        let count = counts.entry(what).or_default();
        *count += 1;
        *count - 1
    }
}

impl ContainerRuntime for ScriptedRuntime {
    async fn schedule(&self, refusal: Option<String>) -> Result<Placement, PodFailure> {
        self.trace.push(&match refusal {
            Some(refusal) => format!("place? not because of: {refusal}"),
            None => "place?".to_owned(),
        });
        match self.places.get(self.count("place".to_owned())) {
            Some((after, answer)) => {
                takes(*after).await;
                answer.clone()
            }
            None => pending().await,
        }
    }

    async fn prepare_sandbox(&self) -> Result<Sandbox, SandboxError> {
        self.trace.push("sandbox");
        let number = self.count("sandbox".to_owned());
        nth(&self.sandboxes, number).unwrap_or(Ok(()))?;
        let ip = IpAddr::from([10, 0, 0, 7]);
        Ok(Sandbox { pod_ips: vec![ip], host_ips: vec![IpAddr::from([10, 0, 0, 1])] })
    }

    async fn prepare_image(
        &self,
        container: &str,
        _pulling: &(dyn Fn() + Sync),
    ) -> Result<ImageInfo, ImageError> {
        self.trace.push(&format!("image {container}"));
        let script = &self.scripts[container];
        takes(script.image_takes).await;
        let number = self.count(format!("image {container}"));
        nth(&script.images, number).unwrap_or(Ok(()))?;
        Ok(ImageInfo { id: format!("sha256:{container}"), origin: ImageOrigin::Present })
    }

    async fn start(&self, container: &str, attempt: u32) -> Result<Run, StartError> {
        self.trace.push(&format!("start {container} #{attempt}"));
        let script = &self.scripts[container];
        takes(script.start_takes).await;
        let number = self.count(format!("start {container}"));
        nth(&script.starts, number).unwrap_or(Ok(()))?;
        let guest = nth(&script.runs, self.count(format!("run {container}"))).unwrap();
        let (stops, heard) = watch::channel(Stopped::No);
        let (name, trace) = (container.to_owned(), self.trace.clone());
        Ok(Run {
            id: format!("{container}-{attempt}"),
            exit: Box::pin(guest.run(heard)),
            control: Box::new(Control { name, trace, stops }),
        })
    }

    async fn probe(&self, container: &str, kind: ProbeKind) -> ProbeAnswer {
        let number = self.count(format!("{kind} {container}"));
        let answers = &self.scripts[container].probes[&kind];
        let (takes_so_long, answer) = nth(answers, number).unwrap();
        takes(takes_so_long).await;
        let told = match &answer {
            ProbeAnswer::Success => "yes",
            ProbeAnswer::Warning(_) => "yes, but",
            ProbeAnswer::Failure(_) => "no",
            ProbeAnswer::Error(_) => "cannot tell",
        };
        self.trace.push(&format!("probe {container}: {kind}? {told}"));
        answer
    }

    async fn hook(&self, container: &str, hook: Hook) -> Result<(), String> {
        self.trace.push(&format!("hook {container}: {hook:?}"));
        let (takes_so_long, outcome) = self.scripts[container].hooks[&hook].clone();
        takes(takes_so_long).await;
        self.trace.push(&format!("hook {container}: {hook:?} done"));
        outcome
    }

    async fn teardown(&self) {
        self.trace.push("teardown");
    }
}

struct Control {
    name: String,
    trace: Trace,
    stops: watch::Sender<Stopped>,
}

impl RunControl for Control {
    fn stop(&mut self, grace: Duration) {
        self.trace.push(&format!("stop {} within {}", self.name, GoDuration(grace)));
        self.stops.send_replace(Stopped::Asked);
    }

    fn kill(&mut self) {
        self.trace.push(&format!("kill {}", self.name));
        self.stops.send_replace(Stopped::Killed);
    }
}
