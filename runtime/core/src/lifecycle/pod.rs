//! What should be done for a Pod next.
//!
//! ```text
//! place ─▶ sandbox ─▶ init containers, one by one ─▶ app containers, all at once
//!                       sidecars stay beside          │ all done for good, an init container failed
//!                                                     │ for good, a stop, a deadline, an eviction
//!                                                     ▼
//!                          app containers told, then killed ─▶ sidecars, last one first ─▶ teardown
//! ```
//!
//! [`plan`] is a function of values: it has no clock and touches nothing. Whoever calls it hands
//! every action to [`Observed::begin`] before the next call, and calls until nothing but
//! [`Action::WakeAt`] is left.
//!
//! Rule: the Pod life cycle of Kubernetes; the order of start and stop with sidecars is that of
//! KEP-753, grace periods and their floor that of the kubelet's `killContainer`.

use std::time::Instant;

use super::action::{Action, BackOffCause};
use super::container::{Container, RunState, Step};
use super::event::PodFailure;
use super::observed::{Ending, Observed, SandboxState, Scheduling, later};
use super::probe::ProbeKind;
use super::restart::{restarts, restarts_all};
use super::running::{HookState, Running, StopReason, StopStage, Stopping, kill_at};
use super::spec::{ContainerIndex, Role, Spec};
use super::waiting::WaitingReason;

/// Decides what to do next at `now`; [`Action::WakeAt`], if any, is the last.
pub fn plan(spec: &Spec, observed: &Observed, now: Instant) -> Vec<Action> {
    let mut planner = Planner { spec, observed, now, actions: Vec::new(), wake: None };
    planner.plan();
    let Planner { mut actions, wake, .. } = planner;
    actions.extend(wake.map(Action::WakeAt));
    actions
}

struct Planner<'pod> {
    spec: &'pod Spec,
    observed: &'pod Observed,
    now: Instant,
    actions: Vec<Action>,
    wake: Option<Instant>,
}

impl Planner<'_> {
    fn plan(&mut self) {
        if matches!(self.observed.sandbox, SandboxState::TearingDown | SandboxState::Gone) {
            return;
        }
        if let Some(ending) = &self.observed.ending {
            self.end(ending);
        } else if self.observed.restarting_all {
            self.make_way();
        } else if self.work_is_done() {
            let at_rest = self.observed.is_at_rest();
            self.actions.push(if at_rest { Action::Teardown } else { Action::End });
        } else if self.observed.scheduling != Scheduling::Scheduled {
            self.schedule();
        } else if self.deadline_has_passed() {
            self.actions.push(Action::Fail(PodFailure::deadline_exceeded()));
        } else {
            self.run();
        }
    }

    /// The Pod has no place yet.
    fn schedule(&mut self) {
        match &self.observed.scheduling {
            Scheduling::Due { refusal } => {
                self.actions.push(Action::Schedule { refusal: refusal.clone() });
            }
            Scheduling::Asked { .. } | Scheduling::Scheduled => {}
        }
    }

    /// Whether the Pod needs nothing more from its app containers: all have ended for good, or an
    /// init container has failed for good.
    fn work_is_done(&self) -> bool {
        let init_failed = self
            .of_role(Role::Init)
            .any(|index| self.ended_for_good(index) && !self.container(index).has_succeeded());
        init_failed || self.of_role(Role::App).all(|index| self.ended_for_good(index))
    }

    fn deadline_has_passed(&mut self) -> bool {
        let deadline = self
            .spec
            .active_deadline
            .and_then(|limit| self.observed.started.instant.checked_add(limit));
        deadline.is_some_and(|deadline| !self.wait_until(deadline))
    }

    /// The Pod is to run: what is missing for that?
    fn run(&mut self) {
        match &self.observed.sandbox {
            SandboxState::Ready => self.run_containers(),
            SandboxState::Absent { retry_at } => {
                if !retry_at.is_some_and(|at| self.wait_until(at)) {
                    self.actions.push(Action::PrepareSandbox);
                }
            }
            SandboxState::Preparing
            | SandboxState::Cancelling
            | SandboxState::TearingDown
            | SandboxState::Gone => {}
        }
    }

    fn run_containers(&mut self) {
        // Once an app container has run, init containers are history and a sidecar that starts
        // again holds nobody up.
        let initialized = self.of_role(Role::App).any(|index| self.container(index).has_begun);
        let (mut all_before_are_ready, mut held_back) = (true, false);
        for index in self.spec.indices() {
            let container = self.observed.container(index);
            let role = self.spec.container(index).role;
            let is_done = role == Role::Init && (initialized || container.has_succeeded());
            if let Some(running) = container.running() {
                // Looked after whatever became of those before it.
                self.tend(index, running);
            } else if all_before_are_ready && !is_done {
                self.advance(index, held_back);
            }
            match role {
                Role::Init => all_before_are_ready &= is_done,
                Role::Sidecar => {
                    let started = container.running().is_some_and(Running::is_started);
                    all_before_are_ready &= initialized || started;
                }
                Role::App => held_back |= self.holds_back(index),
            }
        }
    }

    /// Whether an app container is on its way to the end of its postStart hook: the next one is not
    /// started before that.
    fn holds_back(&self, index: ContainerIndex) -> bool {
        self.spec.container(index).post_start
            && match &self.container(index).state {
                RunState::Running(running) => running.post_start.is_open(),
                RunState::Waiting { step, .. } | RunState::Terminated { step, .. } => {
                    *step != Step::Nothing
                }
            }
    }

    /// Brings one container a step nearer to running; one that is held back does not start.
    fn advance(&mut self, index: ContainerIndex, held_back: bool) {
        let container = self.observed.container(index);
        match &container.state {
            RunState::Running(_) => {}
            RunState::Waiting { step: Step::ImageReady(_), .. }
            | RunState::Terminated { step: Step::ImageReady(_), .. } => {
                if !held_back {
                    let attempt = container.next_attempt();
                    self.actions.push(Action::Start { container: index, attempt });
                }
            }
            RunState::Waiting { why, step: Step::Nothing } => {
                if why.until.is_some_and(|until| self.wait_until(until)) {
                    return;
                }
                let image_failed = matches!(
                    why.reason,
                    WaitingReason::ErrImagePull | WaitingReason::RegistryUnavailable
                );
                match container.image_failures.wait() {
                    Some((delay, until)) if image_failed && until > self.now => {
                        let cause = BackOffCause::Image;
                        self.actions.push(Action::BackOff {
                            container: index,
                            cause,
                            delay,
                            until,
                        });
                    }
                    _ => self.try_again(index),
                }
            }
            RunState::Terminated { ended, step: Step::Nothing } => {
                if !restarts(self.spec.container(index), &ended.exit) {
                    return;
                }
                match container.crashes.delay(ended.finished) {
                    Some(delay) if ended.finished + delay > self.now => {
                        let (cause, until) = (BackOffCause::Crash, ended.finished + delay);
                        self.actions.push(Action::BackOff {
                            container: index,
                            cause,
                            delay,
                            until,
                        });
                    }
                    _ => self.try_again(index),
                }
            }
            RunState::Waiting { step: Step::Image | Step::Starting(_), .. }
            | RunState::Terminated { step: Step::Image | Step::Starting(_), .. } => {
                if container.step_is_outdated {
                    self.actions.push(Action::Cancel { container: index });
                }
            }
            RunState::Waiting { step: Step::Cancelling(_), .. }
            | RunState::Terminated { step: Step::Cancelling(_), .. } => {}
        }
    }

    /// The first step of a run, or of a restart of all where that is what the last end asks for.
    fn try_again(&mut self, container: ContainerIndex) {
        let (spec, state) = (self.spec.container(container), &self.container(container).state);
        let follows = match state {
            RunState::Terminated { ended, .. } => Some(ended),
            RunState::Waiting { why, .. } if why.reason == WaitingReason::CrashLoopBackOff => {
                self.container(container).last.as_ref()
            }
            RunState::Waiting { .. } | RunState::Running(_) => None,
        };
        let all = follows.is_some_and(|ended| restarts_all(spec, &ended.exit));
        self.actions.push(if all {
            Action::RestartAll { container }
        } else {
            Action::PrepareImage { container }
        });
    }

    /// Looks after a guest that runs: its hook, its probes, and its end if one of these failed.
    fn tend(&mut self, index: ContainerIndex, running: &Running) {
        match (&running.stopping, running.reason_to_stop()) {
            (Some(stopping), _) => self.go_on_stopping(index, stopping),
            (None, Some(why)) => {
                let spec = self.spec.container(index);
                let own = match why {
                    StopReason::FailedProbe(kind) => spec.probe(kind).and_then(|probe| probe.grace),
                    StopReason::PodEnds
                    | StopReason::FailedPostStart
                    | StopReason::Resize
                    | StopReason::Redefined
                    | StopReason::OutOfMemory => None,
                };
                self.stop(index, why, later(self.now, own.unwrap_or(self.spec.grace)));
            }
            (None, None) => {
                if running.post_start == HookState::Due {
                    self.actions.push(Action::PostStart { container: index });
                }
            }
        }
        self.probe(index, running);
    }

    /// Asks the probes that are due. A guest whose end was asked for is only asked whether it is
    /// ready, and one that is killed now nothing.
    fn probe(&mut self, index: ContainerIndex, running: &Running) {
        let killed = running.stopping.is_some_and(|stopping| match stopping.stage {
            StopStage::KillAt(at) => at <= self.now,
            StopStage::Killed => true,
            StopStage::Hook | StopStage::AfterHook => false,
        });
        if killed {
            return;
        }
        let ends = self.observed.ending.is_some() || running.stopping.is_some();
        for prober in &running.probers {
            if ends && prober.kind != ProbeKind::Readiness {
                continue;
            }
            let pod_started = self.observed.started.instant;
            let next = running.next_probe(prober.kind, self.spec.container(index), pod_started);
            if next.is_some_and(|next| !self.wait_until(next)) {
                self.actions.push(Action::Probe { container: index, kind: prober.kind });
            }
        }
    }

    /// All containers are to start again: what still runs, or is about to, ends without grace.
    fn make_way(&mut self) {
        if self.observed.is_at_rest() {
            self.actions.push(Action::Reset);
            return;
        }
        self.cancel_steps();
        for index in self.spec.indices() {
            self.kill(index);
        }
    }

    fn cancel_steps(&mut self) {
        for index in self.spec.indices() {
            if matches!(self.container(index).step(), Some(Step::Image | Step::Starting(_))) {
                self.actions.push(Action::Cancel { container: index });
            }
        }
    }

    /// The Pod is to end: who has to be told, killed, waited for?
    fn end(&mut self, ending: &Ending) {
        if self.observed.is_at_rest() {
            self.actions.push(Action::Teardown);
            return;
        }
        if self.observed.sandbox == SandboxState::Preparing {
            self.actions.push(Action::CancelSandbox);
        }
        self.cancel_steps();
        if ending.kill {
            for index in self.spec.indices() {
                self.kill(index);
            }
            return;
        }
        let others_are_over = self
            .spec
            .indices()
            .filter(|index| self.spec.container(*index).role != Role::Sidecar)
            .all(|index| self.container(index).is_at_rest());
        let last = self.of_role(Role::Sidecar).rfind(|index| !self.container(*index).is_at_rest());
        for index in self.spec.indices() {
            let Some(running) = self.observed.container(index).running() else { continue };
            let is_sidecar = self.spec.container(index).role == Role::Sidecar;
            let has_its_turn = !is_sidecar || (others_are_over && last == Some(index));
            match &running.stopping {
                // What ends for a reason of its own has no turn to wait for.
                Some(stopping) if has_its_turn || stopping.why != StopReason::PodEnds => {
                    self.go_on_stopping(index, stopping);
                }
                // Their hooks are all called at once; only the guests go in their order.
                None if has_its_turn || self.has_time_for_hook(index, ending.deadline) => {
                    self.stop(index, StopReason::PodEnds, ending.deadline);
                }
                Some(_) | None => {}
            }
            self.probe(index, running);
        }
    }

    /// Begins the end of a guest that runs.
    fn stop(&mut self, container: ContainerIndex, why: StopReason, deadline: Instant) {
        self.actions.push(if self.has_time_for_hook(container, deadline) {
            Action::PreStop { container, why, deadline }
        } else {
            Action::Stop { container, why, deadline, kill_at: kill_at(deadline, self.now) }
        });
    }

    fn has_time_for_hook(&self, index: ContainerIndex, deadline: Instant) -> bool {
        self.spec.container(index).pre_stop && deadline > self.now
    }

    fn go_on_stopping(&mut self, container: ContainerIndex, stopping: &Stopping) {
        let Stopping { why, deadline, stage } = *stopping;
        match stage {
            StopStage::Hook if self.wait_until(deadline) => {}
            StopStage::Hook | StopStage::AfterHook => {
                let kill_at = kill_at(deadline, self.now);
                self.actions.push(Action::Stop { container, why, deadline, kill_at });
            }
            StopStage::KillAt(at) => {
                if !self.wait_until(at) {
                    self.kill(container);
                }
            }
            StopStage::Killed => {}
        }
    }

    fn kill(&mut self, index: ContainerIndex) {
        let killed = |running: &Running| {
            running.stopping.is_some_and(|stopping| stopping.stage == StopStage::Killed)
        };
        if self.container(index).running().is_some_and(|running| !killed(running)) {
            self.actions.push(Action::Kill { container: index });
        }
    }

    /// Whether `moment` is still to come; if so, the plan is made again then.
    fn wait_until(&mut self, moment: Instant) -> bool {
        let ahead = moment > self.now;
        if ahead {
            self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment)));
        }
        ahead
    }

    fn ended_for_good(&self, index: ContainerIndex) -> bool {
        match &self.container(index).state {
            RunState::Terminated { ended, step: Step::Nothing } => {
                !restarts(self.spec.container(index), &ended.exit)
            }
            RunState::Terminated { .. } | RunState::Waiting { .. } | RunState::Running(_) => false,
        }
    }

    fn container(&self, index: ContainerIndex) -> &Container {
        self.observed.container(index)
    }

    fn of_role(&self, role: Role) -> impl DoubleEndedIterator<Item = ContainerIndex> + use<'_> {
        self.spec.indices().filter(move |index| self.spec.container(*index).role == role)
    }
}
