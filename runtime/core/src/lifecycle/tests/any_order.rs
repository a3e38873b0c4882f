//! The plan in a world where anything may happen in any order.
//!
//! Two worlds. In the first, what was begun comes to an end some day, well or badly, in any order,
//! while somebody may stop the Pod: there the promises of the life cycle must hold. In the second,
//! events come that belong to nothing: there the plan must neither panic nor run in circles, and
//! what is terminal must stay so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PodStatus;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::container::{RunState, Step};
use super::super::event::{ImageError, ImageErrorKind, ImageInfo, ImageOrigin, Now, Sandbox};
use super::super::{
    Action, ContainerIndex, Event, Exit, Hook, Observed, PodFailure, ProbeAnswer, ProbeKind,
    RestartPolicy, Role, SandboxError, Spec, StartError, Stop, StopReason, narrate_action,
    narrate_event, plan, restarts, status,
};

/// Something that happens in the first world.
#[derive(Clone, Debug)]
enum Happening {
    /// One of the things under way ends, with an end chosen by the second number.
    Ends(prop::sample::Index, u8),
    /// Time passes, in milliseconds.
    Passes(u64),
    Stops(Stop),
    Fails,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        12 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(i, end)| Happening::Ends(i, end)),
        6 => prop_oneof![0..3_000_u64, 0..700_000_u64].prop_map(Happening::Passes),
        1 => stop().prop_map(Happening::Stops),
        1 => Just(Happening::Fails),
    ]
}

fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        proptest::option::of(0..40_u64)
            .prop_map(|grace| Stop::Graceful { grace: grace.map(Duration::from_secs) }),
        Just(Stop::Interrupt),
        Just(Stop::Kill),
    ]
}

fn pod() -> impl Strategy<Value = Spec> {
    let policy = prop_oneof![Just("Always"), Just("OnFailure"), Just("Never")];
    let init = prop::collection::vec(proptest::option::of(care()), 0..4);
    let container = (proptest::option::of(policy.clone()), prop::bool::weighted(0.15), care());
    let app = prop::collection::vec(container, 1..4);
    (policy, init, app, 0..35_i64, proptest::option::of(1..2_000_i64)).prop_map(
        |(policy, init, app, grace, deadline)| {
            let name = |list: &str, index: usize| format!("{list}{index}");
            let init: Vec<Value> = (init.into_iter().enumerate())
                .map(|(index, sidecar)| match sidecar {
                    Some(care) => {
                        let mut sidecar =
                            json!({ "name": name("i", index), "restartPolicy": "Always" });
                        care.add_to(&mut sidecar);
                        sidecar
                    }
                    None => json!({ "name": name("i", index) }),
                })
                .collect();
            let app: Vec<Value> = (app.into_iter().enumerate())
                .map(|(index, (policy, restarts_all, care))| {
                    let rules = restarts_all.then(|| restart_all_rule(2));
                    let mut container = json!({
                        "name": name("a", index),
                        "restartPolicy": policy,
                        "restartPolicyRules": rules,
                    });
                    care.add_to(&mut container);
                    container
                })
                .collect();
            let pod = json!({
                "metadata": { "name": "p", "uid": "u" },
                "spec": {
                    "restartPolicy": policy,
                    "terminationGracePeriodSeconds": grace,
                    "activeDeadlineSeconds": deadline,
                    "initContainers": init,
                    "containers": app,
                },
            });
            Spec::new(&serde_json::from_value(pod).unwrap()).unwrap()
        },
    )
}

/// The probes and hooks of a container.
#[derive(Clone, Debug)]
struct Care {
    probes: Vec<Option<(i32, i32, i32)>>,
    hooks: [bool; 2],
}

fn care() -> impl Strategy<Value = Care> {
    let probe = (1..30_i32, 0..30_i32, 1..4_i32);
    (prop::collection::vec(prop::option::weighted(0.3, probe), 3), any::<[bool; 2]>())
        .prop_map(|(probes, hooks)| Care { probes, hooks })
}

impl Care {
    fn add_to(self, container: &mut Value) {
        for (name, probe) in
            ["startupProbe", "livenessProbe", "readinessProbe"].iter().zip(self.probes)
        {
            if let Some((period, delay, threshold)) = probe {
                container[name] = json!({
                    "tcpSocket": { "port": 80 },
                    "periodSeconds": period,
                    "initialDelaySeconds": delay,
                    "failureThreshold": threshold,
                });
            }
        }
        for (name, wanted) in ["postStart", "preStop"].iter().zip(self.hooks) {
            if wanted {
                container["lifecycle"][name] = json!({ "sleep": { "seconds": 5 } });
            }
        }
    }
}

fn restart_all_rule(code: i32) -> Value {
    json!([{
        "action": "RestartAllContainers",
        "exitCodes": { "operator": "In", "values": [code] },
    }])
}

/// What was begun and has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum UnderWay {
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

struct World {
    spec: Spec,
    observed: Observed,
    now: Now,
    wake: Option<Instant>,
    under_way: Vec<UnderWay>,
    status: PodStatus,
    runs: BTreeMap<ContainerIndex, u32>,
    /// When everything has to be over, once somebody wants it to be.
    over_by: Option<Instant>,
    torn_down: bool,
    /// How often all containers were started again.
    resets: u32,
}

impl World {
    fn new(spec: Spec) -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
        let now = Now { instant: Instant::now(), wall: Timestamp::UNIX_EPOCH };
        let observed = Observed::new(&spec, now);
        let status = status(&spec, &observed, None, now.wall);
        let mut world = Self {
            spec,
            observed,
            now,
            wake: None,
            under_way: Vec::new(),
            status,
            runs: BTreeMap::new(),
            over_by: None,
            torn_down: false,
            resets: 0,
        };
        world.settle();
        world
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Ends(index, end) => {
                if !self.under_way.is_empty() {
                    let thing = self.under_way.remove(index.index(self.under_way.len()));
                    self.ends(thing, end);
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
            Happening::Fails => {
                // A Pod that is ending already has its cause and its grace.
                if self.observed.ending.is_none() {
                    self.must_be_over_in(self.spec.grace);
                }
                self.apply(Event::Failed(PodFailure::deadline_exceeded()));
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
        while let Some(wake) = self.wake.filter(|wake| *wake <= until) {
            assert!(wake > self.now.instant, "a wish to wake in the past goes in circles");
            self.advance_to(wake);
            self.settle();
        }
        self.advance_to(until);
        self.settle();
    }

    fn advance_to(&mut self, instant: Instant) {
        self.now.wall += instant - self.now.instant;
        self.now.instant = instant;
    }

    fn ends(&mut self, thing: UnderWay, end: u8) {
        let event = match thing {
            UnderWay::Sandbox if end < 40 => {
                Event::SandboxFailed(SandboxError::Create("no address is left".to_owned()))
            }
            UnderWay::Sandbox => Event::SandboxReady(Sandbox::default()),
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
                let outcome = if end < 50 { Err("no".to_owned()) } else { Ok(()) };
                Event::HookEnded { container, hook, outcome }
            }
            UnderWay::Teardown => Event::TornDown,
        };
        self.apply(event);
    }

    fn start_end(&mut self, container: ContainerIndex, end: u8) -> Event {
        let error = match end {
            0..20 => StartError::Config("no such key".to_owned()),
            20..40 => StartError::Create("no space is left".to_owned()),
            40..60 => {
                *self.runs.entry(container).or_default() += 1;
                StartError::Run(Exit::start_error("no such import"))
            }
            60.. => {
                *self.runs.entry(container).or_default() += 1;
                self.under_way.push(UnderWay::Run(container));
                return Event::Started { container, id: format!("{container:?}") };
            }
        };
        Event::StartFailed { container, error }
    }

    fn apply(&mut self, event: Event) {
        narrate_event(&self.spec, &event);
        self.observed.apply(&self.spec, event, self.now);
        self.settle();
    }

    /// Does what the plan says until it says nothing more.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "the plan goes in circles: {:#?}", self.observed);
            let actions = plan(&self.spec, &self.observed, self.now.instant);
            assert_eq!(actions, plan(&self.spec, &self.observed, self.now.instant));
            self.wake = None;
            let mut acted = false;
            for action in actions {
                if let Action::WakeAt(at) = action {
                    self.wake = Some(at);
                    continue;
                }
                acted = true;
                self.check(&action);
                narrate_action(&self.spec, &self.observed, &action);
                self.observed.begin(&self.spec, &action, self.now);
                self.carry_out(&action);
            }
            if !acted {
                break;
            }
        }
        self.check_status();
    }

    fn carry_out(&mut self, action: &Action) {
        match action {
            Action::PrepareSandbox => self.under_way.push(UnderWay::Sandbox),
            Action::PrepareImage { container } => self.under_way.push(UnderWay::Image(*container)),
            Action::Start { container, .. } => self.under_way.push(UnderWay::Start(*container)),
            Action::Cancel { container } => {
                let container = *container;
                self.under_way.retain(|thing| {
                    ![UnderWay::Image(container), UnderWay::Start(container)].contains(thing)
                });
                self.observed.apply(&self.spec, Event::Cancelled { container }, self.now);
            }
            Action::CancelSandbox => {
                self.under_way.retain(|thing| *thing != UnderWay::Sandbox);
                self.observed.apply(&self.spec, Event::SandboxCancelled, self.now);
            }
            Action::Kill { container } => {
                let container = *container;
                self.under_way.retain(|thing| {
                    *thing != UnderWay::Run(container) && !thing.goes_with(container)
                });
                let exit = Exit::killed();
                self.observed.apply(&self.spec, Event::Exited { container, exit }, self.now);
            }
            Action::Teardown => {
                self.torn_down = true;
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

    /// The promises about single actions.
    fn check(&self, action: &Action) {
        assert!(!self.torn_down, "{action:?} after the teardown");
        match action {
            Action::PrepareImage { container } => {
                assert_eq!(self.observed.container(*container).step(), Some(&Step::Nothing));
            }
            Action::Start { container, attempt } => self.check_start(*container, *attempt),
            Action::Stop { container, why: StopReason::PodEnds, .. } => {
                if self.spec.container(*container).role == Role::Sidecar {
                    self.check_sidecar_stop(*container);
                }
            }
            Action::Probe { container, kind } => self.check_probe(*container, *kind),
            Action::PostStart { container } | Action::PreStop { container, .. } => {
                assert!(self.under_way.contains(&UnderWay::Run(*container)), "a hook of no run");
            }
            Action::Stop { container, .. } => {
                assert!(self.observed.ending.is_none() || self.is_stopping(*container));
            }
            Action::Teardown => assert_eq!(self.under_way, [], "a teardown under something"),
            Action::PrepareSandbox
            | Action::CancelSandbox
            | Action::BackOff { .. }
            | Action::RestartAll { .. }
            | Action::Reset
            | Action::Kill { .. }
            | Action::Cancel { .. }
            | Action::End
            | Action::Fail(_)
            | Action::WakeAt(_) => {}
        }
    }

    fn check_start(&self, container: ContainerIndex, attempt: u32) {
        assert!(!self.under_way.contains(&UnderWay::Run(container)), "two runs at once");
        assert!(self.observed.ending.is_none(), "a start at the end");
        let runs = self.runs.get(&container).copied().unwrap_or(0);
        assert_eq!(attempt, runs, "runs are numbered one after the other");
        let spec = self.spec.container(container);
        if spec.restart_policy == RestartPolicy::Never {
            assert!(runs <= self.resets, "policy Never");
        }
        if spec.role == Role::App {
            for index in self.spec.indices() {
                if self.spec.container(index).role == Role::Init {
                    assert!(self.observed.container(index).has_succeeded(), "before its init");
                }
            }
        }
        if let Some(ended) = self.observed.container(container).latest_end() {
            assert!(restarts(spec, &ended.exit), "a restart that no rule asks for");
        }
    }

    fn check_probe(&self, container: ContainerIndex, kind: ProbeKind) {
        assert!(self.under_way.contains(&UnderWay::Run(container)), "a probe of no run");
        assert!(!self.under_way.contains(&UnderWay::Probe(container, kind)), "two at once");
        let running = self.observed.container(container).running().unwrap();
        assert_eq!(running.is_started(), kind != ProbeKind::Startup, "{kind} at the wrong time");
        if kind != ProbeKind::Readiness {
            assert!(self.observed.ending.is_none(), "{kind} at the end");
        }
    }

    fn is_stopping(&self, container: ContainerIndex) -> bool {
        self.observed.container(container).running().is_some_and(|run| run.stopping.is_some())
    }

    fn check_sidecar_stop(&self, sidecar: ContainerIndex) {
        for index in self.spec.indices() {
            let later_sidecar = self.spec.container(index).role == Role::Sidecar && index > sidecar;
            let other = self.spec.container(index).role != Role::Sidecar;
            if later_sidecar || other {
                assert!(self.observed.container(index).is_at_rest(), "a sidecar ends last");
            }
        }
    }

    /// The promises about what is shown.
    fn check_status(&mut self) {
        let new = status(&self.spec, &self.observed, Some(&self.status), self.now.wall);
        let again = status(&self.spec, &self.observed, Some(&new), self.now.wall);
        assert_eq!(new, again, "the status is a function of what is known");
        if matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed")) {
            assert_eq!(new.phase, self.status.phase, "a terminal phase stays");
        }
        let counts = |status: &PodStatus| -> Vec<i32> {
            let init = status.init_container_statuses.iter().flatten();
            let all = init.chain(status.container_statuses.iter().flatten());
            all.map(|container| container.restart_count).collect()
        };
        let (before, after) = (counts(&self.status), counts(&new));
        assert!(before.iter().zip(&after).all(|(a, b)| a <= b), "restarts only rise");
        self.status = new;
    }

    /// The promise about the end: guests that are killed end, so all is over in time.
    fn finish(mut self) {
        if self.over_by.is_none() {
            self.happens(Happening::Stops(Stop::Graceful { grace: None }));
        }
        let by = self.over_by.expect("just set");
        let left = by.saturating_duration_since(self.now.instant);
        self.pass(left);
        assert!(self.torn_down, "not over by the end of the grace and two seconds");
        self.apply(Event::TornDown);
        assert!(self.observed.is_gone());
        let running =
            |container: &super::super::Container| matches!(container.state, RunState::Running(_));
        assert!(!self.observed.containers.iter().any(running));
    }
}

fn image_end(container: ContainerIndex, end: u8) -> Event {
    let kind = match end {
        0..20 => ImageErrorKind::Pull,
        20..30 => ImageErrorKind::NeverPull,
        30..35 => ImageErrorKind::InvalidName,
        35..40 => ImageErrorKind::Inspect,
        40..45 => ImageErrorKind::RegistryUnavailable,
        45.. => return Event::ImageReady { container, image: image() },
    };
    Event::ImageFailed { container, error: ImageError { kind, message: "absent".to_owned() } }
}

fn answer(end: u8) -> ProbeAnswer {
    match end {
        0..120 => ProbeAnswer::Failure("no".to_owned()),
        120..140 => ProbeAnswer::Error("no such port".to_owned()),
        140.. => ProbeAnswer::Success,
    }
}

fn image() -> ImageInfo {
    ImageInfo { id: "sha256:a".to_owned(), origin: ImageOrigin::Present }
}

/// Any event at all, for containers that may not exist.
fn event() -> impl Strategy<Value = Event> {
    let container = || (0..6_usize).prop_map(ContainerIndex);
    prop_oneof![
        Just(Event::SandboxReady(Sandbox::default())),
        Just(Event::SandboxFailed(SandboxError::Create("full".to_owned()))),
        Just(Event::SandboxCancelled),
        container().prop_map(|container| Event::ImageReady { container, image: image() }),
        (container(), any::<u8>()).prop_map(|(container, end)| image_end(container, end)),
        container().prop_map(|container| Event::Started { container, id: "1".to_owned() }),
        container().prop_map(|container| Event::StartFailed {
            container,
            error: StartError::Run(Exit::failed()),
        }),
        container().prop_map(|container| Event::Cancelled { container }),
        (container(), 0..3)
            .prop_map(|(container, code)| Event::Exited { container, exit: Exit::with_code(code) }),
        (container(), 0..3_usize, any::<u8>()).prop_map(|(container, kind, end)| Event::Probed {
            container,
            kind: ProbeKind::ALL[kind],
            answer: answer(end),
        }),
        (container(), any::<bool>(), any::<bool>()).prop_map(|(container, first, well)| {
            Event::HookEnded {
                container,
                hook: if first { Hook::PostStart } else { Hook::PreStop },
                outcome: if well { Ok(()) } else { Err("no".to_owned()) },
            }
        }),
        stop().prop_map(Event::StopRequested),
        Just(Event::Failed(PodFailure::deadline_exceeded())),
        Just(Event::TornDown),
    ]
}

/// `PROPTEST_CASES` asks for more: so many Pods as CI has time for.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig { cases: asked.cases.max(2_000), ..asked }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_promises_hold_in_any_order(
        spec in pod(),
        happenings in prop::collection::vec(happening(), 0..80),
    ) {
        let mut world = World::new(spec);
        for happening in happenings {
            if world.torn_down {
                break;
            }
            world.happens(happening);
        }
        if !world.torn_down {
            world.finish();
        }
    }

    #[test]
    fn events_that_belong_to_nothing_do_no_harm(
        spec in pod(),
        events in prop::collection::vec((event(), 0..20_000_u64), 0..80),
    ) {
        #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
        let mut now = Now { instant: Instant::now(), wall: Timestamp::UNIX_EPOCH };
        let mut observed = Observed::new(&spec, now);
        let mut shown = status(&spec, &observed, None, now.wall);
        for (event, millis) in events {
            let passed = Duration::from_millis(millis);
            now = Now { instant: now.instant + passed, wall: now.wall + passed };
            observed.apply(&spec, event, now);
            for round in 0.. {
                prop_assert!(round < 100, "the plan goes in circles: {observed:#?}");
                let mut actions = plan(&spec, &observed, now.instant);
                actions.retain(|action| !matches!(action, Action::WakeAt(_)));
                if actions.is_empty() {
                    break;
                }
                for action in actions {
                    observed.begin(&spec, &action, now);
                }
            }
            let new = status(&spec, &observed, Some(&shown), now.wall);
            if matches!(shown.phase.as_deref(), Some("Succeeded" | "Failed")) {
                prop_assert_eq!(&new.phase, &shown.phase);
            }
            shown = new;
        }
    }
}
