//! What a container says of itself while it waits, and of its probes and hook once it runs.

use k8s_openapi::api::core::v1::ContainerStatus;

use super::Is::{Done, New, Starting, Up};
use super::{observed, spec, start, wall};
use crate::lifecycle::{
    Action, ContainerIndex, Event, ImageError, ImageErrorKind, ImageInfo, ImageOrigin, Now,
    Observed, Sandbox, Spec, StartError, status,
};

const WEB: ContainerIndex = ContainerIndex(0);

fn shown(spec: &Spec, observed: &Observed) -> ContainerStatus {
    status(spec, observed, None, wall(0)).container_statuses.unwrap().remove(0)
}

/// The reason and message of a container that waits.
fn waiting(spec: &Spec, observed: &Observed) -> (String, Option<String>) {
    let waiting = shown(spec, observed).state.unwrap().waiting.unwrap();
    (waiting.reason.unwrap(), waiting.message)
}

/// A Pod of one container whose image is being prepared.
fn with_sandbox(spec: &Spec, now: Now) -> Observed {
    let mut observed = Observed::new(spec, now);
    observed.begin(spec, &Action::PrepareSandbox, now);
    observed.apply(spec, Event::SandboxReady(Sandbox::default()), now);
    observed.begin(spec, &Action::PrepareImage { container: WEB }, now);
    observed
}

#[test]
fn who_was_not_tried_yet_says_what_the_pod_is_doing() {
    let now = start();
    let plain = spec("Always", 0, 0, 1);
    assert_eq!(waiting(&plain, &Observed::new(&plain, now)).0, "ContainerCreating");
    assert_eq!(waiting(&plain, &with_sandbox(&plain, now)).0, "ContainerCreating");
    for (init, sidecars) in [(1, 0), (0, 1)] {
        let spec = spec("Always", init, sidecars, 1);
        assert_eq!(waiting(&spec, &Observed::new(&spec, now)).0, "PodInitializing");
    }
}

#[test]
fn each_failure_of_an_image_has_its_reason() {
    let (spec, now) = (spec("Always", 0, 0, 1), start());
    for (kind, reason) in [
        (ImageErrorKind::Pull, "ErrImagePull"),
        (ImageErrorKind::NeverPull, "ErrImageNeverPull"),
        (ImageErrorKind::InvalidName, "InvalidImageName"),
        (ImageErrorKind::Inspect, "ImageInspectError"),
        (ImageErrorKind::RegistryUnavailable, "RegistryUnavailable"),
    ] {
        let mut observed = with_sandbox(&spec, now);
        let error = ImageError { kind, message: "no such file".to_owned() };
        observed.apply(&spec, Event::ImageFailed { container: WEB, error }, now);
        let message = Some("no such file".to_owned());
        assert_eq!(waiting(&spec, &observed), (reason.to_owned(), message));
    }
}

#[test]
fn each_failure_of_a_start_has_its_reason() {
    let (spec, now) = (spec("Always", 0, 0, 1), start());
    let told = || "configmap \"x\" not found".to_owned();
    for (error, reason, message) in [
        (StartError::Config(told()), "CreateContainerConfigError", Some(told())),
        (StartError::Create(told()), "CreateContainerError", Some(told())),
        (
            StartError::Mount { volume: "data".to_owned(), message: told() },
            "ContainerCreating",
            None,
        ),
    ] {
        let mut observed = with_sandbox(&spec, now);
        let image = ImageInfo { id: String::new(), origin: ImageOrigin::Present };
        observed.apply(&spec, Event::ImageReady { container: WEB, image }, now);
        observed.begin(&spec, &Action::Start { container: WEB, attempt: 0 }, now);
        observed.apply(&spec, Event::StartFailed { container: WEB, error }, now);
        assert_eq!(waiting(&spec, &observed), (reason.to_owned(), message));
        assert_eq!(shown(&spec, &observed).restart_count, 0);
    }
}

#[test]
fn started_and_ready_by_role_and_state() {
    let table = [(Starting, false, false), (Up, true, true), (Done(0), false, false)];
    for (state, started, ready) in table {
        for (sidecars, apps) in [(0, 1), (1, 1)] {
            let spec = spec("Always", 0, sidecars, apps);
            let status =
                status(&spec, &observed(&spec, &[state; 2][..sidecars + apps]), None, wall(0));
            let sidecar = status.init_container_statuses.into_iter().flatten();
            for container in sidecar.chain(status.container_statuses.into_iter().flatten()) {
                assert_eq!(container.started, Some(started), "{state:?}");
                assert_eq!(container.ready, ready, "{state:?}");
            }
        }
        // An init container is ready once it has succeeded.
        let spec = spec("Always", 1, 0, 1);
        let status = status(&spec, &observed(&spec, &[state, New]), None, wall(0));
        let init = status.init_container_statuses.unwrap().remove(0);
        assert_eq!(init.ready, matches!(state, Done(0)), "{state:?}");
    }
    let failed = spec("Always", 1, 0, 1);
    let status = status(&failed, &observed(&failed, &[Done(1), New]), None, wall(0));
    assert!(!status.init_container_statuses.unwrap()[0].ready);
}
