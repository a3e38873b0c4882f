//! The phase for containers in every state, and what makes it final.

use super::Is::{self, Again, Done, New, Starting, Up};
use super::{ended, observed, spec, wall};
use crate::lifecycle::{EndCause, Ending, Phase, PodFailure, RunState, Step, phase, status};

#[test]
fn the_phase_of_app_containers() {
    use Phase::{Failed, Pending, Running, Succeeded};
    // The phase under Always, OnFailure and Never.
    let table: &[(&[Is], [Phase; 3])] = &[
        (&[New], [Pending, Pending, Pending]),
        (&[Up], [Running, Running, Running]),
        (&[Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(1)], [Running, Running, Failed]),
        (&[Again(1)], [Running, Running, Failed]),
        (&[Up, New], [Pending, Pending, Pending]),
        (&[Up, Again(1)], [Running, Running, Running]),
        (&[Done(0), New], [Pending, Pending, Pending]),
        (&[Done(0), Up], [Running, Running, Running]),
        (&[Done(0), Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(0), Done(1)], [Running, Running, Failed]),
        (&[Done(1), Done(1)], [Running, Running, Failed]),
    ];
    for (states, expected) in table {
        for (policy, expected) in ["Always", "OnFailure", "Never"].iter().zip(expected) {
            let spec = spec(policy, 0, 0, states.len());
            let observed = observed(&spec, states);
            assert_eq!(phase(&spec, &observed), *expected, "{policy} {states:?}");
        }
    }
}

#[test]
fn the_phase_while_init_containers_are_at_work() {
    use Phase::{Failed, Pending, Running, Succeeded};
    let table: &[(&[Is], [Phase; 3])] = &[
        (&[New, New], [Pending, Pending, Pending]),
        (&[Up, New], [Pending, Pending, Pending]),
        (&[Done(1), New], [Pending, Pending, Failed]),
        (&[Again(1), New], [Pending, Pending, Failed]),
        (&[Done(0), New], [Pending, Pending, Pending]),
        (&[Done(0), Up], [Running, Running, Running]),
        (&[Done(0), Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(0), Done(1)], [Running, Running, Failed]),
        (&[Done(0), Again(1)], [Running, Running, Failed]),
    ];
    for (states, expected) in table {
        for (policy, expected) in ["Always", "OnFailure", "Never"].iter().zip(expected) {
            let spec = spec(policy, 1, 0, 1);
            let observed = observed(&spec, states);
            assert_eq!(phase(&spec, &observed), *expected, "{policy} {states:?}");
        }
    }
}

#[test]
fn sidecars_hold_the_phase_back_and_do_not_decide_it() {
    use Phase::{Failed, Pending, Running, Succeeded};
    // A sidecar and an app container; the phase under Always, OnFailure and Never.
    let table: &[(&[Is], [Phase; 3])] = &[
        (&[New, New], [Pending, Pending, Pending]),
        (&[Starting, New], [Pending, Pending, Pending]),
        (&[Up, New], [Pending, Pending, Pending]),
        // It has ended before an app container began: the next run is awaited.
        (&[Done(0), New], [Pending, Pending, Pending]),
        (&[Done(1), New], [Pending, Pending, Pending]),
        (&[Again(0), New], [Pending, Pending, Pending]),
        (&[Again(1), New], [Pending, Pending, Pending]),
        (&[Up, Up], [Running, Running, Running]),
        // It crashed after the app containers had begun.
        (&[Done(1), Up], [Running, Running, Running]),
        (&[Again(1), Up], [Running, Running, Running]),
        (&[Starting, Up], [Running, Running, Running]),
        // The work is done, and the sidecar has yet to be stopped.
        (&[Up, Done(0)], [Running, Running, Running]),
        (&[Up, Done(1)], [Running, Running, Running]),
        // Its own code does not matter.
        (&[Done(143), Done(0)], [Running, Succeeded, Succeeded]),
        (&[Done(0), Done(1)], [Running, Running, Failed]),
        (&[Again(1), Done(0)], [Running, Succeeded, Succeeded]),
        (&[Again(1), Done(1)], [Running, Running, Failed]),
    ];
    for (states, expected) in table {
        for (policy, expected) in ["Always", "OnFailure", "Never"].iter().zip(expected) {
            let spec = spec(policy, 0, 1, 1);
            assert_eq!(phase(&spec, &observed(&spec, states)), *expected, "{policy} {states:?}");
        }
    }
}

#[test]
fn sidecars_and_app_containers_in_numbers() {
    use Phase::{Failed, Pending, Running, Succeeded};
    // An init container, two sidecars, two app containers, under Never.
    let table: &[(&[Is], Phase)] = &[
        (&[Up, New, New, New, New], Pending),
        (&[Done(0), Up, Starting, New, New], Pending),
        // One of two has begun: the other is awaited.
        (&[Done(0), Up, Up, Up, New], Pending),
        (&[Done(0), Up, Up, Done(0), New], Pending),
        (&[Done(0), Up, Up, Up, Up], Running),
        (&[Done(0), Again(1), Starting, Up, Done(0)], Running),
        (&[Done(0), Up, Done(0), Done(0), Done(0)], Running),
        (&[Done(0), Done(137), Done(0), Done(0), Done(0)], Succeeded),
        (&[Done(0), Done(0), Done(0), Done(0), Done(1)], Failed),
        // It is called Failed once the sidecars are gone.
        (&[Done(1), New, New, New, New], Failed),
    ];
    for (states, expected) in table {
        let spec = spec("Never", 1, 2, 2);
        assert_eq!(phase(&spec, &observed(&spec, states)), *expected, "{states:?}");
    }
}

#[test]
fn a_pod_that_was_ended_is_judged_by_its_codes() {
    for (cause, states, expected) in [
        (EndCause::Requested, [Done(143), Done(0)], Phase::Failed),
        (EndCause::Requested, [Done(0), Done(0)], Phase::Succeeded),
        (EndCause::Requested, [Done(0), New], Phase::Pending),
        (EndCause::Requested, [Again(1), Done(0)], Phase::Failed),
        (EndCause::Failed(PodFailure::deadline_exceeded()), [Done(0), Done(0)], Phase::Failed),
        (EndCause::Failed(PodFailure::deadline_exceeded()), [New, New], Phase::Failed),
        // Nothing is final while something runs.
        (EndCause::Failed(PodFailure::deadline_exceeded()), [Up, Done(0)], Phase::Running),
        (EndCause::Requested, [Up, Done(0)], Phase::Running),
    ] {
        let spec = spec("Always", 0, 0, 2);
        let mut observed = observed(&spec, &states);
        observed.ending =
            Some(Ending { cause: cause.clone(), deadline: observed.started.instant, kill: false });
        assert_eq!(phase(&spec, &observed), expected, "{cause:?} {states:?}");
    }
}

#[test]
fn a_terminal_phase_stays() {
    let spec = spec("Never", 0, 0, 1);
    let mut observed = observed(&spec, &[Done(1)]);
    observed.ending = Some(Ending {
        cause: EndCause::Failed(PodFailure::deadline_exceeded()),
        deadline: observed.started.instant,
        kill: false,
    });
    let failed = status(&spec, &observed, None, wall(1));
    assert_eq!(failed.phase.as_deref(), Some("Failed"));
    observed.containers[0].state =
        RunState::Terminated { ended: ended(0, observed.started), step: Step::Nothing };
    observed.ending = None;
    let later = status(&spec, &observed, Some(&failed), wall(2));
    assert_eq!(later.phase, failed.phase);
    assert_eq!(later.reason.as_deref(), Some("DeadlineExceeded"));
    assert_eq!(later.message, failed.message);
}
