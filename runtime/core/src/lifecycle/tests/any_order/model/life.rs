//! What the history says of one container: its runs, and the last that was heard of it.

use super::Millis;
use super::history::{Deadline, Ending};
use crate::lifecycle::{ImageErrorKind, ProbeAnswer, ProbeKind, StopReason};

/// What became of one container.
#[derive(Default)]
pub(super) struct Life {
    pub(super) runs: Vec<Run>,
    pub(super) step: Step,
    pub(super) looks: Looks,
    /// The moments at which its image could not be pulled.
    pub(super) failed_pulls: Vec<Millis>,
    /// Each end that another try has followed, and when.
    pub(super) retries: Vec<(Millis, Millis)>,
    /// A run has begun since all were last started together.
    pub(super) has_begun: bool,
}

/// What is under way for the next run.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Step {
    #[default]
    Idle,
    Image,
    Ready,
    Starting,
    CalledOff,
}

/// What is the last that was heard of a container.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Looks {
    #[default]
    Untried,
    Running,
    Ended,
    NoImage(Millis, ImageErrorKind),
    NotMade(Millis, NotMade),
    Crashing {
        until: Millis,
        delay: Millis,
    },
    PullBackOff {
        until: Millis,
    },
    MadeWay,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum NotMade {
    Config,
    Create,
    Mount,
}

/// One run.
pub(super) struct Run {
    pub(super) since: Millis,
    pub(super) end: Option<End>,
    pub(super) post_start: Option<Call>,
    pub(super) pre_stop: Option<Call>,
    pub(super) asks: Vec<Ask>,
    /// When its end was first asked for, and why.
    pub(super) stopping: Option<(Millis, StopReason)>,
    /// When it was told to end, and the place of that in the history.
    pub(super) told: Option<(Millis, usize)>,
    pub(super) killed: bool,
    /// The machine was short of memory.
    pub(super) out_of_memory: bool,
}

#[derive(Clone, Copy)]
pub(super) struct End {
    pub(super) at: Millis,
    pub(super) code: u8,
    /// It made way for a restart of all.
    pub(super) made_way: bool,
}

/// A hook that was called.
pub(super) struct Call {
    pub(super) end: Option<(Millis, bool)>,
}

pub(super) struct Ask {
    pub(super) kind: ProbeKind,
    pub(super) at: Millis,
    pub(super) answer: Option<(Millis, ProbeAnswer)>,
}

impl Life {
    /// The run in progress.
    pub(super) fn running(&self) -> Option<&Run> {
        self.runs.last().filter(|run| run.end.is_none())
    }

    /// The latest end.
    pub(super) fn end(&self) -> Option<End> {
        self.runs.iter().rev().find_map(|run| run.end)
    }

    /// A try follows the end that was the last to be heard of it.
    pub(super) fn follow_up(&mut self, at: Millis) {
        if matches!(self.looks, Looks::Ended | Looks::Crashing { .. }) {
            let end = self.end().unwrap().at;
            self.retries.push((end, at));
        }
    }

    pub(super) fn not_made(&mut self, at: Millis, why: NotMade) {
        (self.step, self.looks) = (Step::Idle, Looks::NotMade(at, why));
    }

    pub(super) fn begin(&mut self, at: Millis) {
        (self.step, self.looks, self.has_begun) = (Step::Idle, Looks::Running, true);
        self.runs.push(Run {
            since: at,
            end: None,
            post_start: None,
            pre_stop: None,
            asks: Vec::new(),
            stopping: None,
            told: None,
            killed: false,
            out_of_memory: false,
        });
    }

    pub(super) fn finish(&mut self, end: End) {
        self.looks = Looks::Ended;
        self.runs.last_mut().unwrap().end = Some(end);
    }

    /// One that has ended begins from the start again, with its image; one that has not had not begun.
    pub(super) fn make_way(&mut self) {
        self.has_begun = false;
        if let Some(end) = self.runs.iter_mut().rev().find_map(|run| run.end.as_mut()) {
            end.made_way = true;
            (self.step, self.looks) = (Step::Idle, Looks::MadeWay);
        }
    }
}

impl Run {
    /// When it was told to end, with the Pod's deadline by then and those that have come since.
    pub(super) fn told_with<'ending>(
        &self,
        ending: Option<&'ending Ending>,
    ) -> Option<(Millis, Option<&'ending Deadline>, &'ending [Deadline])> {
        let (at, place) = self.told?;
        let deadlines = ending.map(|ending| &*ending.deadlines).unwrap_or_default();
        let known = deadlines.partition_point(|deadline| deadline.place < place);
        let (before, since) = deadlines.split_at(known);
        Some((at, before.last(), since))
    }
}
