//! What may happen to a Pod, and how the things that were begun may end.

use std::time::Duration;

use proptest::prelude::*;

use crate::lifecycle::{
    ContainerIndex, Event, Exit, Hook, ImageError, ImageErrorKind, ImageInfo, ImageOrigin,
    PodFailure, PodFailureReason, ProbeAnswer, ProbeKind, Sandbox, SandboxError, StartError, Stop,
};

/// Something that happens in the first world.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// One of the things under way ends, with an end chosen by the second number.
    Ends(prop::sample::Index, u8),
    /// Time passes, in milliseconds.
    Passes(u64),
    Stops(Stop),
    Fails(PodFailureReason),
    /// The machine is short of memory, and one of the containers that run has to go.
    OutOfMemory(prop::sample::Index),
}

/// A life in which somebody may end the Pod at any moment, or a longer one that nobody ends.
pub(super) fn life() -> impl Strategy<Value = Vec<Happening>> {
    prop_oneof![
        prop::collection::vec(happening(1), 0..60),
        prop::collection::vec(happening(0), 0..100),
    ]
}

fn happening(ends: u32) -> impl Strategy<Value = Happening> {
    let thing = (any::<prop::sample::Index>(), any::<u8>());
    prop_oneof![
        12 => thing.prop_map(|(index, end)| Happening::Ends(index, end)),
        6 => time().prop_map(Happening::Passes),
        ends => stop().prop_map(Happening::Stops),
        ends => reason().prop_map(Happening::Fails),
        1 => any::<prop::sample::Index>().prop_map(Happening::OutOfMemory),
    ]
}

/// Mostly any time; at times one that a rule turns on.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..3_000_u64,
        4 => 0..700_000_u64,
        1 => prop::sample::select(vec![1_000, 10_000, 600_000]),
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

fn reason() -> impl Strategy<Value = PodFailureReason> {
    prop_oneof![Just(PodFailureReason::DeadlineExceeded), Just(PodFailureReason::Evicted)]
}

pub(super) fn place_end(end: u8) -> Event {
    match end {
        0..80 => Event::Unschedulable { message: format!("no room, {}", end % 2) },
        80.. => Event::Scheduled { node: "node".to_owned() },
    }
}

pub(super) fn sandbox_end(end: u8) -> Event {
    let message = "no address is left".to_owned();
    match end {
        0..30 => Event::SandboxFailed(SandboxError::Create(message)),
        30..60 => Event::SandboxFailed(SandboxError::Mount { volume: "data".to_owned(), message }),
        60.. => Event::SandboxReady(Sandbox::default()),
    }
}

pub(super) fn image_end(container: ContainerIndex, end: u8) -> Event {
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

/// A start that failed, or one that began a run.
pub(super) fn start_end(container: ContainerIndex, end: u8) -> Event {
    let error = match end {
        0..15 => StartError::Config("no such key".to_owned()),
        15..30 => StartError::Create("no space is left".to_owned()),
        30..40 => StartError::Mount { volume: "data".to_owned(), message: "absent".to_owned() },
        40..60 => StartError::Run(Exit::start_error("no such import")),
        60.. => return Event::Started { container, id: format!("{container:?}") },
    };
    Event::StartFailed { container, error }
}

pub(super) fn answer(end: u8) -> ProbeAnswer {
    match end {
        0..120 => ProbeAnswer::Failure("no".to_owned()),
        120..140 => ProbeAnswer::Error("no such port".to_owned()),
        140..150 => ProbeAnswer::Warning("moved".to_owned()),
        150.. => ProbeAnswer::Success,
    }
}

pub(super) fn hook_end(end: u8) -> Result<(), String> {
    if end < 50 { Err("no".to_owned()) } else { Ok(()) }
}

pub(super) fn out_of_memory(container: ContainerIndex) -> Event {
    Event::OutOfMemory { container, message: "The node was low on resource: memory. ".to_owned() }
}

fn image() -> ImageInfo {
    ImageInfo { id: "sha256:a".to_owned(), origin: ImageOrigin::Present }
}

/// Any event at all, for containers that may not exist.
pub(super) fn event() -> impl Strategy<Value = Event> {
    let container = || (0..6_usize).prop_map(ContainerIndex);
    prop_oneof![
        any::<u8>().prop_map(place_end),
        any::<u8>().prop_map(sandbox_end),
        container().prop_map(out_of_memory),
        Just(Event::SandboxCancelled),
        (container(), any::<u8>()).prop_map(|(container, end)| image_end(container, end)),
        (container(), any::<u8>()).prop_map(|(container, end)| start_end(container, end)),
        container().prop_map(|container| Event::Cancelled { container }),
        (container(), 0..3)
            .prop_map(|(container, code)| Event::Exited { container, exit: Exit::with_code(code) }),
        (container(), 0..3_usize, any::<u8>()).prop_map(|(container, kind, end)| Event::Probed {
            container,
            kind: ProbeKind::ALL[kind],
            answer: answer(end),
        }),
        (container(), any::<bool>(), any::<u8>()).prop_map(|(container, first, end)| {
            Event::HookEnded {
                container,
                hook: if first { Hook::PostStart } else { Hook::PreStop },
                outcome: hook_end(end),
            }
        }),
        stop().prop_map(Event::StopRequested),
        Just(Event::Failed(PodFailure::deadline_exceeded())),
        Just(Event::TornDown),
    ]
}
