//! A world in which what was begun comes to an end some day, well or badly, in any order.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodStatus;

use super::happenings::{
    Happening, answer, hook_end, image_end, out_of_memory, place_end, sandbox_end, start_end,
};
use super::model::{History, Model, Shown};
use super::pods::AnyPod;
use crate::lifecycle::{
    Action, ContainerIndex, Event, Exit, Hook, Now, Observed, PodFailure, ProbeKind, Spec,
    StartError, Stop, narrate_action, narrate_event, plan, status,
};

/// What was begun and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnderWay {
    Place,
    Sandbox,
    Image(ContainerIndex),
    Start(ContainerIndex),
    Run(ContainerIndex),
    Probe(ContainerIndex, ProbeKind),
    Hook(ContainerIndex, Hook),
    Teardown,
}

impl UnderWay {
    /// Whether it ends with a run of that container.
    fn goes_with(self, container: ContainerIndex) -> bool {
        matches!(self, Self::Probe(of, _) | Self::Hook(of, _) if of == container)
    }
}

/// Who looks at the world after each step.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Watch {
    /// The promises of the life cycle.
    Promises,
    /// The second model.
    Model,
}

pub(super) struct World {
    pub(super) spec: Spec,
    pub(super) observed: Observed,
    pub(super) now: Now,
    wake: Option<Instant>,
    pub(super) under_way: Vec<UnderWay>,
    /// What was called off or killed: it ends before any time passes.
    ends_soon: Vec<UnderWay>,
    pub(super) status: PodStatus,
    /// The revision that it belongs to.
    pub(super) revision: u64,
    pub(super) runs: BTreeMap<ContainerIndex, u32>,
    /// When everything has to be over, once somebody wants it to be.
    over_by: Option<Instant>,
    pub(super) torn_down: bool,
    /// How often all containers were started again.
    pub(super) resets: u32,
    history: History,
    watch: Watch,
}

impl World {
    pub(super) fn new(pod: AnyPod, watch: Watch) -> Self {
        let AnyPod { spec, max_delay } = pod;
        let now = beginning();
        let observed = Observed::new(&spec, now);
        let status = status(&spec, &observed, None, now.wall);
        let mut world = Self {
            spec,
            observed,
            now,
            wake: None,
            under_way: Vec::new(),
            ends_soon: Vec::new(),
            status,
            revision: 0,
            runs: BTreeMap::new(),
            over_by: None,
            torn_down: false,
            resets: 0,
            history: History::new(now.instant, max_delay),
            watch,
        };
        world.settle();
        world
    }

    pub(super) fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Ends(index, end) => {
                let all = self.under_way.len() + self.ends_soon.len();
                if all > 0 {
                    self.thing_ends(index.index(all), end);
                }
            }
            Happening::Passes(millis) => self.pass(Duration::from_millis(millis)),
            Happening::Stops(stop) => {
                let grace = match stop {
                    Stop::Graceful { grace } => grace.unwrap_or(self.spec.grace),
                    Stop::Interrupt if self.observed.ending.is_none() => self.spec.grace,
                    Stop::Interrupt | Stop::Kill => Duration::ZERO,
                };
                self.must_be_over_in(grace);
                self.apply(Event::StopRequested(stop));
            }
            Happening::Fails(reason) => {
                let failure = PodFailure { reason, message: "It has failed".to_owned() };
                // A Pod that is ending already has its cause and its grace.
                if self.observed.ending.is_none() {
                    self.must_be_over_in(failure.grace(self.spec.grace));
                }
                self.apply(Event::Failed(failure));
            }
            Happening::OutOfMemory(index) => {
                let all: Vec<ContainerIndex> =
                    self.spec.indices().filter(|index| self.runs(*index)).collect();
                if !all.is_empty() {
                    self.apply(out_of_memory(all[index.index(all.len())]));
                }
            }
        }
    }

    fn must_be_over_in(&mut self, grace: Duration) {
        let by = self.now.instant + grace + Duration::from_secs(2);
        self.over_by = Some(self.over_by.map_or(by, |earlier| earlier.min(by)));
    }

    /// Time passes from one wish of the plan to the next.
    fn pass(&mut self, time: Duration) {
        let until = self.now.instant + time;
        self.end_what_ends_soon();
        while let Some(wake) = self.wake.filter(|wake| *wake <= until) {
            assert!(wake > self.now.instant, "a wish to wake in the past goes in circles");
            self.advance_to(wake);
            self.settle();
            self.end_what_ends_soon();
        }
        self.advance_to(until);
        self.settle();
    }

    fn end_what_ends_soon(&mut self) {
        while !self.ends_soon.is_empty() {
            self.thing_ends(self.under_way.len(), 0);
        }
    }

    fn advance_to(&mut self, instant: Instant) {
        self.now.wall += instant - self.now.instant;
        self.now.instant = instant;
    }

    /// The thing of that number ends: first those under way are counted, then those that end soon.
    fn thing_ends(&mut self, index: usize, end: u8) {
        let event = if index < self.under_way.len() {
            let thing = self.under_way.remove(index);
            self.end_of(thing, end)
        } else {
            let thing = self.ends_soon.remove(index - self.under_way.len());
            self.early_end_of(thing, end)
        };
        self.apply(event);
    }

    fn end_of(&mut self, thing: UnderWay, end: u8) -> Event {
        match thing {
            UnderWay::Place => place_end(end),
            UnderWay::Sandbox => sandbox_end(end),
            UnderWay::Image(container) => image_end(container, end),
            UnderWay::Start(container) => self.start_end(container, end),
            UnderWay::Run(container) => {
                self.under_way.retain(|thing| !thing.goes_with(container));
                Event::Exited { container, exit: Exit::with_code(i32::from(end % 3)) }
            }
            UnderWay::Probe(container, kind) => {
                Event::Probed { container, kind, answer: answer(end) }
            }
            UnderWay::Hook(container, hook) => {
                Event::HookEnded { container, hook, outcome: hook_end(end) }
            }
            UnderWay::Teardown => Event::TornDown,
        }
    }

    /// The end of something that was called off or killed. A guest whose start was called off too late
    /// runs all the same.
    fn early_end_of(&mut self, thing: UnderWay, end: u8) -> Event {
        match thing {
            UnderWay::Sandbox => Event::SandboxCancelled,
            UnderWay::Start(container) if end >= 200 => self.start_end(container, end),
            UnderWay::Image(container) | UnderWay::Start(container) => {
                Event::Cancelled { container }
            }
            UnderWay::Run(container) => Event::Exited { container, exit: Exit::killed() },
            UnderWay::Place | UnderWay::Probe(..) | UnderWay::Hook(..) | UnderWay::Teardown => {
                unreachable!("never called off with an end of its own")
            }
        }
    }

    fn start_end(&mut self, container: ContainerIndex, end: u8) -> Event {
        let event = start_end(container, end);
        match &event {
            Event::Started { .. } => {
                *self.runs.entry(container).or_default() += 1;
                self.under_way.push(UnderWay::Run(container));
            }
            Event::StartFailed { error: StartError::Run(_), .. } => {
                *self.runs.entry(container).or_default() += 1;
            }
            _ => {}
        }
        event
    }

    fn apply(&mut self, event: Event) {
        narrate_event(&self.spec, &event);
        self.history.happened(&event, self.now.instant);
        self.observed.apply(&self.spec, event, self.now);
        self.settle();
    }

    /// Does what the plan says until it says nothing more.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "the plan goes in circles: {:#?}", self.observed);
            let mut actions = plan(&self.spec, &self.observed, self.now.instant);
            self.look(&actions);
            self.wake = actions.pop_if(|action| matches!(action, Action::WakeAt(_))).map(wake);
            if actions.is_empty() {
                break;
            }
            for action in actions {
                if self.watch == Watch::Promises {
                    self.check(&action);
                    narrate_action(&self.spec, &self.observed, &action);
                }
                self.history.did(&action, self.now.instant);
                self.observed.begin(&self.spec, &action, self.now);
                self.carry_out(&action);
            }
        }
    }

    /// Looks at what is planned, and at what is shown once nothing is left to do.
    fn look(&mut self, actions: &[Action]) {
        let settled = actions.iter().all(|action| matches!(action, Action::WakeAt(_)));
        let shown =
            settled.then(|| status(&self.spec, &self.observed, Some(&self.status), self.now.wall));
        match self.watch {
            Watch::Promises => {
                self.check_plan(actions);
                shown.iter().for_each(|shown| self.check_status(shown));
            }
            Watch::Model => {
                let model = Model::read(&self.spec, &self.history, self.now.instant);
                compare_plan(&model, actions);
                shown.iter().for_each(|shown| self.compare_status(&model, shown));
            }
        }
        if let Some(shown) = shown {
            self.status = shown;
            self.revision = self.observed.revision();
        }
    }

    fn carry_out(&mut self, action: &Action) {
        match action {
            Action::Schedule { .. } => self.under_way.push(UnderWay::Place),
            Action::PrepareSandbox => self.under_way.push(UnderWay::Sandbox),
            Action::PrepareImage { container } => self.under_way.push(UnderWay::Image(*container)),
            Action::Start { container, .. } => self.under_way.push(UnderWay::Start(*container)),
            Action::Cancel { container } => {
                let steps = [UnderWay::Image(*container), UnderWay::Start(*container)];
                self.will_end_soon(|thing| steps.contains(&thing));
            }
            Action::CancelSandbox => self.will_end_soon(|thing| thing == UnderWay::Sandbox),
            Action::Kill { container } => {
                self.under_way.retain(|thing| !thing.goes_with(*container));
                self.will_end_soon(|thing| thing == UnderWay::Run(*container));
            }
            Action::Teardown => {
                self.torn_down = true;
                self.under_way.retain(|thing| *thing != UnderWay::Place);
                self.under_way.push(UnderWay::Teardown);
            }
            Action::Reset => self.resets += 1,
            Action::Fail(_) => self.must_be_over_in(self.spec.grace),
            Action::PostStart { container } => {
                self.under_way.push(UnderWay::Hook(*container, Hook::PostStart));
            }
            Action::PreStop { container, .. } => {
                self.under_way.push(UnderWay::Hook(*container, Hook::PreStop));
            }
            Action::Probe { container, kind } => {
                self.under_way.push(UnderWay::Probe(*container, *kind));
            }
            Action::Stop { container, .. } => {
                let hook = UnderWay::Hook(*container, Hook::PreStop);
                self.under_way.retain(|thing| *thing != hook);
            }
            Action::RestartAll { .. }
            | Action::BackOff { .. }
            | Action::End
            | Action::WakeAt(_) => {}
        }
    }

    fn will_end_soon(&mut self, meant: impl Fn(UnderWay) -> bool) {
        self.ends_soon.extend(self.under_way.extract_if(.., |thing| meant(*thing)));
    }

    /// Whether a guest of that container runs, be it that it is killed.
    pub(super) fn runs(&self, container: ContainerIndex) -> bool {
        let run = UnderWay::Run(container);
        self.under_way.contains(&run) || self.ends_soon.contains(&run)
    }

    fn compare_status(&self, model: &Model<'_>, shown: &PodStatus) {
        let names = self.spec.containers.iter().map(|container| container.name.as_str());
        assert_eq!(Shown::of(shown, names), model.shown());
        let deletion = self.observed.deletion.map(|deletion| {
            let after = deletion.timestamp.duration_since(Timestamp::UNIX_EPOCH);
            (after.unsigned_abs().as_millis(), deletion.grace.as_millis())
        });
        assert_eq!(deletion, model.deletion());
    }

    /// The promise about the end: guests that are killed end, so all is over in time.
    pub(super) fn finish(mut self) {
        if self.over_by.is_none() {
            self.happens(Happening::Stops(Stop::Graceful { grace: None }));
        }
        let by = self.over_by.expect("just set");
        let left = by.saturating_duration_since(self.now.instant);
        self.pass(left);
        assert!(self.torn_down, "not over by the end of the grace and two seconds");
        self.apply(Event::TornDown);
        assert!(self.observed.is_gone());
        assert!(self.observed.containers.iter().all(|container| container.running().is_none()));
    }
}

fn compare_plan(model: &Model<'_>, actions: &[Action]) {
    let (due, next) = model.due();
    let (wakes, planned): (Vec<_>, Vec<_>) =
        actions.iter().cloned().partition(|action| matches!(action, Action::WakeAt(_)));
    let same = planned.len() == due.len() && planned.iter().all(|action| due.contains(action));
    assert!(same, "planned {planned:#?}, due {due:#?}");
    assert_eq!(wakes.into_iter().next().map(wake), next, "when something is due next");
}

/// Any instant serves as the origin.
pub(super) fn beginning() -> Now {
    #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
    let instant = Instant::now();
    Now { instant, wall: Timestamp::UNIX_EPOCH }
}

fn wake(action: Action) -> Instant {
    match action {
        Action::WakeAt(moment) => moment,
        other => unreachable!("{other:?} is no wish to wake"),
    }
}
