//! How a run ends, a Pod, and a round of all containers.

use super::history::{Ending, Place};
use super::life::{Run, Step};
use super::{Millis, Model, Next, SECOND, millis};
use crate::lifecycle::{Action, ContainerIndex, ProbeKind, Role, StopReason};

impl Model<'_> {
    /// The grace period of a run that ends while its Pod goes on.
    pub(super) fn own_grace(&self, container: ContainerIndex, why: StopReason) -> Millis {
        let own = match why {
            StopReason::FailedProbe(kind) => {
                self.spec.container(container).probe(kind).and_then(|probe| probe.grace)
            }
            StopReason::FailedPostStart
            | StopReason::Resize
            | StopReason::Redefined
            | StopReason::PodEnds
            | StopReason::OutOfMemory => None,
        };
        millis(own.unwrap_or(self.spec.grace))
    }

    /// The end of a run's grace period: its own, the Pod's, or the nearer of both.
    fn deadline(&self, container: ContainerIndex, run: &Run) -> Millis {
        let pod = self.story.ending.as_ref().map(Ending::deadline);
        self.own_deadline(container, run).into_iter().chain(pod).min().unwrap()
    }

    fn own_deadline(&self, container: ContainerIndex, run: &Run) -> Option<Millis> {
        let (since, why) = run.stopping.filter(|(_, why)| *why != StopReason::PodEnds)?;
        Some(since + self.own_grace(container, why))
    }

    /// When a guest that was told is killed: when its grace is over, but not before it has had two
    /// seconds, of which all may lie behind the end of the grace. A nearer deadline counts in the same
    /// way from the moment that it was set.
    fn kill_at(&self, container: ContainerIndex, run: &Run) -> Option<Millis> {
        let (told, before, since) = run.told_with(self.story.ending.as_ref())?;
        let own = self.own_deadline(container, run);
        let mut deadline = own.into_iter().chain(before.map(|before| before.until)).min().unwrap();
        let mut kill_at = killed(deadline, told);
        for nearer in since {
            deadline = deadline.min(nearer.until);
            kill_at = kill_at.min(killed(deadline, nearer.set));
        }
        Some(kill_at)
    }

    /// With its preStop hook if there is one and time for it, else it is told.
    pub(super) fn begin_to_end(
        &self,
        container: ContainerIndex,
        why: StopReason,
        deadline: Millis,
    ) -> Next {
        if self.has_time_for_hook(container, deadline) {
            let deadline = self.instant(deadline);
            return Next::Now(Action::PreStop { container, why, deadline });
        }
        self.tell(container, why, deadline)
    }

    fn has_time_for_hook(&self, container: ContainerIndex, deadline: Millis) -> bool {
        self.spec.container(container).pre_stop && self.now < deadline
    }

    fn tell(&self, container: ContainerIndex, why: StopReason, deadline: Millis) -> Next {
        let kill_at = self.instant(killed(deadline, self.now));
        let deadline = self.instant(deadline);
        Next::Now(Action::Stop { container, why, deadline, kill_at })
    }

    /// The hook has its time, then the guest is told, then it has its time.
    pub(super) fn go_on_ending(&self, container: ContainerIndex, run: &Run) -> Next {
        if run.killed {
            return Next::Nothing;
        }
        if run.out_of_memory {
            return Next::Now(Action::Kill { container });
        }
        if let Some(kill_at) = self.kill_at(container, run) {
            return self.when(kill_at, Action::Kill { container });
        }
        let (_, why) = run.stopping.unwrap();
        let deadline = self.deadline(container, run);
        let hook_goes_on = run.pre_stop.as_ref().is_some_and(|call| call.end.is_none());
        if hook_goes_on && self.now < deadline {
            return Next::At(deadline);
        }
        self.tell(container, why, deadline)
    }

    /// Nobody is asked who is killed.
    pub(super) fn question_unless_killed(
        &self,
        container: ContainerIndex,
        run: &Run,
        kind: ProbeKind,
    ) -> Next {
        let killed = run.killed
            || run.out_of_memory
            || self.kill_at(container, run).is_some_and(|at| at <= self.now);
        if killed { Next::Nothing } else { self.next_question(container, run, kind) }
    }

    /// App containers are ended at once, sidecars after them, the last first; hooks are called at once.
    pub(super) fn wanted_at_the_end(&self, ending: &Ending) -> Vec<Next> {
        if self.is_at_rest() {
            return vec![Next::Now(Action::Teardown)];
        }
        let mut wanted = self.steps_to_call_off();
        if self.story.sandbox == Place::Preparing {
            wanted.push(Next::Now(Action::CancelSandbox));
        }
        if ending.kill {
            wanted.extend(self.all_to_kill());
            return wanted;
        }
        for (container, run) in self.running() {
            let in_turn = self.spec.indices().all(|other| {
                let goes_first = match self.spec.container(other).role {
                    Role::Sidecar => other > container,
                    Role::Init | Role::App => true,
                };
                self.spec.container(container).role != Role::Sidecar
                    || !goes_first
                    || self.rests(other)
            });
            let deadline = ending.deadline();
            match run.stopping {
                Some((_, why)) if in_turn || why != StopReason::PodEnds => {
                    wanted.push(self.go_on_ending(container, run));
                }
                None if in_turn || self.has_time_for_hook(container, deadline) => {
                    wanted.push(self.begin_to_end(container, StopReason::PodEnds, deadline));
                }
                Some(_) | None => {}
            }
            wanted.push(self.question_unless_killed(container, run, ProbeKind::Readiness));
        }
        wanted
    }

    /// All end at once, and then stand as if they had never run.
    pub(super) fn wanted_to_make_way(&self) -> Vec<Next> {
        if self.is_at_rest() {
            return vec![Next::Now(Action::Reset)];
        }
        let mut wanted = self.steps_to_call_off();
        wanted.extend(self.all_to_kill());
        wanted
    }

    fn steps_to_call_off(&self) -> Vec<Next> {
        self.lives()
            .filter(|(_, life)| matches!(life.step, Step::Image | Step::Starting))
            .map(|(container, _)| Next::Now(Action::Cancel { container }))
            .collect()
    }

    fn all_to_kill(&self) -> impl Iterator<Item = Next> {
        let alive = self.running().filter(|(_, run)| !run.killed);
        alive.map(|(container, _)| Next::Now(Action::Kill { container }))
    }
}

fn killed(deadline: Millis, told: Millis) -> Millis {
    deadline.max((told + 2 * SECOND).min(deadline + 2 * SECOND))
}
