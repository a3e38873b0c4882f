//! The loop of one Pod: an event, a plan, its actions, a status.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PodStatus;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, AbortHandle, JoinError, JoinSet};
use tokio::time::{self, Instant};

use super::clock::Clock;
use super::handle::PodHandle;
use super::runtime::{ContainerRuntime, Run, RunControl};
use crate::event::Recorder;
use crate::lifecycle::{
    self, Action, ContainerIndex, Deletion, Event, Exit, Hook, ImageError, ImageErrorKind,
    ImageInfo, Now, Observed, Outcome, Placement, PodFailure, ProbeAnswer, ProbeKind, Sandbox,
    SandboxError, Spec, StartError,
};

/// Wishes from outside that may wait to be read; whoever sends more waits.
const WISHES: usize = 16;

/// Runs one Pod from its first container to its last.
///
/// It owns all that is known of the Pod, carries out each action of the plan in a task of its own,
/// and takes one event back from each. Dropping it aborts these tasks and with them every run.
pub struct Worker<Runtime> {
    spec: Arc<Spec>,
    runtime: Arc<Runtime>,
    clock: Clock,
    observed: Observed,
    tasks: JoinSet<Done>,
    /// What each task is for. Never longer than a few tasks a container.
    works: Vec<Work>,
    controls: Vec<Option<Box<dyn RunControl>>>,
    wishes: mpsc::Receiver<Event>,
    status: watch::Sender<PodStatus>,
    deletion: watch::Sender<Option<Deletion>>,
    /// The revision of what both of these show.
    published: u64,
    events: Arc<Recorder>,
}

/// How a Pod ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Its last status.
    pub status: PodStatus,
    /// What that means to whoever waited for it.
    pub outcome: Outcome,
}

struct Work {
    id: task::Id,
    target: Target,
    abort: AbortHandle,
    cancelled: bool,
}

/// What a task works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Place,
    Sandbox,
    Image(ContainerIndex),
    Start(ContainerIndex),
    Run(ContainerIndex),
    Probe(ContainerIndex, ProbeKind),
    Hook(ContainerIndex, Hook),
    Teardown,
}

/// What a task came to.
enum Done {
    Place(Result<Placement, PodFailure>),
    Sandbox(Result<Sandbox, SandboxError>),
    Image(Result<ImageInfo, ImageError>),
    Start(Result<Run, StartError>),
    Run(Exit),
    Probe(ProbeAnswer),
    Hook(Result<(), String>),
    Teardown,
}

impl<Runtime: ContainerRuntime> Worker<Runtime> {
    /// A worker for the Pod of `spec`, and the hold on it for others. Nothing runs before
    /// [`run`](Self::run).
    pub fn new(spec: Spec, runtime: Arc<Runtime>, clock: Clock) -> (Self, PodHandle) {
        let observed = Observed::new(&spec, clock.now());
        Self::beginning(spec, observed, None, runtime, clock)
    }

    /// The same of a Pod whose process was lost, and of which `previous` is all that is left.
    pub fn resumed(
        spec: Spec,
        previous: &PodStatus,
        runtime: Arc<Runtime>,
        clock: Clock,
    ) -> (Self, PodHandle) {
        let observed = Observed::resumed(&spec, previous, &Exit::unknown(), clock.now());
        Self::beginning(spec, observed, Some(previous), runtime, clock)
    }

    fn beginning(
        spec: Spec,
        observed: Observed,
        previous: Option<&PodStatus>,
        runtime: Arc<Runtime>,
        clock: Clock,
    ) -> (Self, PodHandle) {
        let (wish_sender, wishes) = mpsc::channel(WISHES);
        let (status, status_receiver) =
            watch::channel(lifecycle::status(&spec, &observed, previous, clock.now().wall));
        let (deletion, deletion_receiver) = watch::channel(None);
        let events = Arc::new(Recorder::default());
        let spec = Arc::new(spec);
        let handle = PodHandle {
            spec: Arc::clone(&spec),
            wishes: wish_sender,
            status: status_receiver,
            deletion: deletion_receiver,
            events: Arc::clone(&events),
        };
        let worker = Self {
            controls: spec.containers.iter().map(|_| None).collect(),
            published: observed.revision(),
            spec,
            runtime,
            clock,
            observed,
            tasks: JoinSet::new(),
            works: Vec::new(),
            wishes,
            status,
            deletion,
            events,
        };
        (worker, handle)
    }

    /// Runs the Pod until it is over and given back.
    ///
    /// # Cancel safety
    /// Dropping the future ends every run at once; nothing is waited for or torn down then. Ask
    /// the [`PodHandle`] for a kill instead.
    pub async fn run(mut self) -> Finished {
        let mut wishes_open = true;
        loop {
            let wake = self.settle();
            if self.observed.is_gone() {
                break;
            }
            tokio::select! {
                biased;
                wish = self.wishes.recv(), if wishes_open => match wish {
                    Some(wish) => self.apply(wish),
                    None => wishes_open = false,
                },
                Some(done) = self.tasks.join_next_with_id() => self.finished(done),
                () = sleep_until(wake) => {}
            }
        }
        let status = self.status.borrow().clone();
        let outcome = lifecycle::outcome(&self.spec, &self.observed);
        Finished { status, outcome }
    }

    /// Carries the plan out until it asks for nothing more, and shows what came of it. Gives the
    /// moment at which to plan again.
    fn settle(&mut self) -> Option<Instant> {
        loop {
            let now = self.clock.now();
            let mut wake = None;
            let mut acted = false;
            for action in lifecycle::plan(&self.spec, &self.observed, now.instant) {
                if let Action::WakeAt(moment) = action {
                    wake = Some(Instant::from_std(moment));
                    continue;
                }
                for event in lifecycle::narrate_action(&self.spec, &self.observed, &action) {
                    self.events.record(event, now.wall);
                }
                self.observed.begin(&self.spec, &action, now);
                self.carry_out(action);
                acted = true;
            }
            if !acted {
                self.publish(now);
                return wake;
            }
        }
    }

    fn apply(&mut self, event: Event) {
        let now = self.clock.now();
        for told in lifecycle::narrate_event(&self.spec, &event) {
            self.events.record(told, now.wall);
        }
        if let Event::SpecChanged(change) = &event {
            // Tasks that are under way keep the one that they began with.
            Arc::make_mut(&mut self.spec).change(change);
        }
        self.observed.apply(&self.spec, event, now);
    }

    fn publish(&mut self, now: Now) {
        let revision = self.observed.revision();
        if std::mem::replace(&mut self.published, revision) == revision {
            return;
        }
        self.status.send_if_modified(|status| {
            let new = lifecycle::status(&self.spec, &self.observed, Some(status), now.wall);
            let changed = new != *status;
            *status = new;
            changed
        });
        self.deletion.send_if_modified(|deletion| {
            let changed = *deletion != self.observed.deletion;
            *deletion = self.observed.deletion;
            changed
        });
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Schedule { refusal } => self.schedule(refusal),
            Action::PrepareSandbox => self.prepare_sandbox(),
            Action::PrepareImage { container } => self.prepare_image(container),
            Action::Start { container, attempt } => self.start(container, attempt),
            Action::PostStart { container } => self.hook(container, Hook::PostStart),
            Action::Probe { container, kind } => self.probe(container, kind),
            Action::PreStop { container, .. } => self.hook(container, Hook::PreStop),
            Action::Stop { container, kill_at, .. } => {
                self.cancel(|target| target == Target::Hook(container, Hook::PreStop));
                self.stop(container, Instant::from_std(kill_at));
            }
            Action::Kill { container } => self.kill(container),
            Action::Cancel { container } => self.cancel(
                |target| matches!(target, Target::Image(of) | Target::Start(of) if of == container),
            ),
            Action::CancelSandbox => self.cancel(|target| target == Target::Sandbox),
            Action::Teardown => self.teardown(),
            // Facts: to begin them was all.
            Action::BackOff { .. }
            | Action::RestartAll { .. }
            | Action::Reset
            | Action::End
            | Action::Fail(_)
            | Action::WakeAt(_) => {}
        }
    }

    fn schedule(&mut self, refusal: Option<String>) {
        let runtime = Arc::clone(&self.runtime);
        self.spawn(Target::Place, async move { Done::Place(runtime.schedule(refusal).await) });
    }

    fn prepare_sandbox(&mut self) {
        let runtime = Arc::clone(&self.runtime);
        self.spawn(Target::Sandbox, async move { Done::Sandbox(runtime.prepare_sandbox().await) });
    }

    fn prepare_image(&mut self, container: ContainerIndex) {
        let (runtime, spec) = (Arc::clone(&self.runtime), Arc::clone(&self.spec));
        let (events, clock) = (Arc::clone(&self.events), self.clock);
        self.spawn(Target::Image(container), async move {
            let pulling = || events.record(lifecycle::image_pulls(&spec, container), clock.wall());
            let name = &spec.container(container).name;
            Done::Image(runtime.prepare_image(name, &pulling).await)
        });
    }

    fn start(&mut self, container: ContainerIndex, attempt: u32) {
        let (runtime, spec) = (Arc::clone(&self.runtime), Arc::clone(&self.spec));
        self.spawn(Target::Start(container), async move {
            Done::Start(runtime.start(&spec.container(container).name, attempt).await)
        });
    }

    fn stop(&mut self, container: ContainerIndex, kill_at: Instant) {
        if let Some(control) = &mut self.controls[container.0] {
            control.stop(kill_at.saturating_duration_since(Instant::now()));
        }
    }

    fn kill(&mut self, container: ContainerIndex) {
        if let Some(control) = &mut self.controls[container.0] {
            control.kill();
        }
    }

    fn probe(&mut self, container: ContainerIndex, kind: ProbeKind) {
        let (runtime, spec) = (Arc::clone(&self.runtime), Arc::clone(&self.spec));
        self.spawn(Target::Probe(container, kind), async move {
            Done::Probe(runtime.probe(&spec.container(container).name, kind).await)
        });
    }

    fn hook(&mut self, container: ContainerIndex, hook: Hook) {
        let (runtime, spec) = (Arc::clone(&self.runtime), Arc::clone(&self.spec));
        self.spawn(Target::Hook(container, hook), async move {
            Done::Hook(runtime.hook(&spec.container(container).name, hook).await)
        });
    }

    fn cancel(&mut self, is_meant: impl Fn(Target) -> bool) {
        for work in self.works.iter_mut().filter(|work| is_meant(work.target)) {
            work.cancelled = true;
            work.abort.abort();
        }
    }

    fn teardown(&mut self) {
        self.cancel(|target| target == Target::Place);
        let runtime = Arc::clone(&self.runtime);
        self.spawn(Target::Teardown, async move {
            runtime.teardown().await;
            Done::Teardown
        });
    }

    fn spawn(&mut self, target: Target, work: impl Future<Output = Done> + Send + 'static) {
        let abort = self.tasks.spawn(work);
        self.works.push(Work { id: abort.id(), target, abort, cancelled: false });
    }

    /// A task has ended: one event follows.
    fn finished(&mut self, done: Result<(task::Id, Done), JoinError>) {
        let id = match &done {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some(index) = self.works.iter().position(|work| work.id == id) else {
            return;
        };
        let work = self.works.swap_remove(index);
        if let Target::Run(container) = work.target {
            self.controls[container.0] = None;
            // Their answers would be of a run that is over.
            self.cancel(|target| {
                matches!(target, Target::Probe(of, _) | Target::Hook(of, _) if of == container)
            });
        }
        let event = match done {
            // A guest that runs is told of its end as any other, however late the start was
            // called off. What else a step came to in its last moment is dropped.
            Ok((_, done @ Done::Start(Ok(_)))) => self.event(work.target, done),
            _ if work.cancelled => cancelled(work.target),
            Ok((_, done)) => self.event(work.target, done),
            Err(error) => Some(broken(work.target, &error)),
        };
        if let Some(event) = event {
            self.apply(event);
        }
    }

    fn event(&mut self, target: Target, done: Done) -> Option<Event> {
        Some(match (target, done) {
            (Target::Place, Done::Place(Ok(Placement::Scheduled { node }))) => {
                Event::Scheduled { node }
            }
            (Target::Place, Done::Place(Ok(Placement::Unschedulable { message }))) => {
                Event::Unschedulable { message }
            }
            (Target::Place, Done::Place(Err(failure))) => Event::Failed(failure),
            (Target::Sandbox, Done::Sandbox(Ok(sandbox))) => Event::SandboxReady(sandbox),
            (Target::Sandbox, Done::Sandbox(Err(error))) => Event::SandboxFailed(error),
            (Target::Image(container), Done::Image(Ok(image))) => {
                Event::ImageReady { container, image }
            }
            (Target::Image(container), Done::Image(Err(error))) => {
                Event::ImageFailed { container, error }
            }
            (Target::Start(container), Done::Start(Ok(run))) => self.started(container, run),
            (Target::Start(container), Done::Start(Err(error))) => {
                Event::StartFailed { container, error }
            }
            (Target::Run(container), Done::Run(exit)) => Event::Exited { container, exit },
            (Target::Probe(container, kind), Done::Probe(answer)) => {
                Event::Probed { container, kind, answer }
            }
            (Target::Hook(container, hook), Done::Hook(outcome)) => {
                Event::HookEnded { container, hook, outcome }
            }
            (Target::Teardown, Done::Teardown) => Event::TornDown,
            // Each target is spawned with its own kind of end, above.
            (_, _) => return None,
        })
    }

    fn started(&mut self, container: ContainerIndex, run: Run) -> Event {
        let Run { id, exit, control } = run;
        self.controls[container.0] = Some(control);
        self.spawn(Target::Run(container), async move { Done::Run(exit.await) });
        Event::Started { container, id }
    }
}

fn cancelled(target: Target) -> Option<Event> {
    match target {
        Target::Sandbox => Some(Event::SandboxCancelled),
        Target::Image(container) | Target::Start(container) => Some(Event::Cancelled { container }),
        // Called off because nobody asks any more.
        Target::Place | Target::Probe(..) | Target::Hook(..) => None,
        // Never cancelled: a run is killed, and the teardown is always waited for.
        Target::Run(_) | Target::Teardown => None,
    }
}

/// The event of a task that did not come to its end: it panicked.
fn broken(target: Target, error: &JoinError) -> Event {
    match target {
        Target::Place => Event::Failed(PodFailure::rejected(error)),
        Target::Sandbox => Event::SandboxFailed(SandboxError::Create(error.to_string())),
        Target::Image(container) => Event::ImageFailed {
            container,
            error: ImageError { kind: ImageErrorKind::Inspect, message: error.to_string() },
        },
        Target::Start(container) => {
            Event::StartFailed { container, error: StartError::Create(error.to_string()) }
        }
        Target::Run(container) => {
            let exit = Exit::unknown().with_message(Some(error.to_string()));
            Event::Exited { container, exit }
        }
        Target::Probe(container, kind) => {
            Event::Probed { container, kind, answer: ProbeAnswer::Error(error.to_string()) }
        }
        Target::Hook(container, hook) => {
            Event::HookEnded { container, hook, outcome: Err(error.to_string()) }
        }
        Target::Teardown => Event::TornDown,
    }
}

/// Sleeps until `wake`, for ever without one.
async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}
