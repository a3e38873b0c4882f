//! What may be true of a Pod, by what commands have said. Pure.
//!
//! A command that was killed may have done its work or not, so a Pod is in one of several states until
//! somebody looks.

use std::collections::BTreeSet;

/// One state that a Pod may be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// There is none.
    Absent,
    /// It has been told to end, and is on its way.
    Going,
    /// It is there, with the number that was last applied and the one that it was last labelled with.
    There { applied: u64, labelled: u64 },
}

/// What is done to a Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// `apply`, with this number in its annotations.
    Apply(u64),
    /// `label` or `edit`, with this number.
    Label(u64),
    /// `delete --now`, which waits for the end.
    Delete,
    /// `delete --wait=false`.
    Dismiss,
}

/// What a command said of what it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has made the Pod.
    Created,
    /// It has done it.
    Done,
    /// It could not, or nobody knows: it was killed.
    Unknown,
}

/// All states that a Pod may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Possible(BTreeSet<State>);

impl Default for Possible {
    fn default() -> Self {
        Self([State::Absent].into())
    }
}

impl Possible {
    /// It has been looked at.
    pub(super) fn is(&mut self, state: State) {
        self.0 = [state].into();
    }

    /// Something was done to it, or may have been.
    pub(super) fn change(&mut self, change: Change, outcome: Outcome) {
        let after: BTreeSet<State> =
            self.0.iter().flat_map(|state| state.after(change, outcome)).collect();
        match outcome {
            Outcome::Unknown => self.0.extend(after),
            Outcome::Created | Outcome::Done => self.0 = after,
        }
    }

    /// Whether it may be what somebody sees when nothing is on its way any more.
    pub(super) fn allows(&self, seen: State) -> bool {
        let settles = |state: &State| match state {
            State::Going => State::Absent,
            settled => *settled,
        };
        self.0.iter().any(|state| settles(state) == seen)
    }
}

impl State {
    /// What it may be behind a change. One that is going may be gone by the time of the change.
    fn after(self, change: Change, outcome: Outcome) -> Vec<Self> {
        let created = |applied| Self::There { applied, labelled: 0 };
        match (change, self) {
            (Change::Apply(applied), Self::Absent) => vec![created(applied)],
            (Change::Apply(applied), Self::Going) => match outcome {
                Outcome::Created => vec![created(applied)],
                Outcome::Done => vec![Self::Going],
                Outcome::Unknown => vec![created(applied), Self::Going],
            },
            (Change::Apply(applied), Self::There { labelled, .. }) => match outcome {
                // It says so: there was none.
                Outcome::Created => Vec::new(),
                Outcome::Done | Outcome::Unknown => vec![Self::There { applied, labelled }],
            },
            (Change::Label(labelled), Self::There { applied, .. }) => {
                vec![Self::There { applied, labelled }]
            }
            (Change::Label(_), Self::Going) => vec![Self::Going],
            (Change::Delete, _) if outcome == Outcome::Done => vec![Self::Absent],
            (Change::Delete | Change::Dismiss, Self::There { .. } | Self::Going) => {
                vec![Self::Going]
            }
            (Change::Label(_) | Change::Delete | Change::Dismiss, Self::Absent) => match outcome {
                Outcome::Unknown => vec![Self::Absent],
                // It cannot be done to what is not there.
                Outcome::Created | Outcome::Done => Vec::new(),
            },
        }
    }
}

#[test]
fn what_is_known_of_a_pod_grows_by_doubt_and_shrinks_by_answers() {
    let there = |applied, labelled| State::There { applied, labelled };
    let mut pod = Possible::default();
    pod.change(Change::Apply(1), Outcome::Unknown);
    assert!(pod.allows(State::Absent) && pod.allows(there(1, 0)));
    pod.change(Change::Label(2), Outcome::Done);
    assert!(!pod.allows(State::Absent) && pod.allows(there(1, 2)) && !pod.allows(there(1, 0)));
    pod.change(Change::Dismiss, Outcome::Unknown);
    pod.change(Change::Apply(3), Outcome::Done);
    assert!(pod.allows(State::Absent) && pod.allows(there(3, 2)));
    pod.change(Change::Delete, Outcome::Done);
    assert!(pod.allows(State::Absent) && !pod.allows(there(3, 2)));
    pod.change(Change::Apply(4), Outcome::Created);
    assert!(!pod.allows(State::Absent) && pod.allows(there(4, 0)));
}
