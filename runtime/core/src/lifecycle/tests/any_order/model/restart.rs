//! Who starts again after an end, and when.

use std::time::Duration;

use super::life::{End, Looks, Run};
use super::{Millis, Model, Next, SECOND};
use crate::lifecycle::{
    Action, BackOffCause, ContainerIndex, ExitCodeOperator, ImageErrorKind, RestartAction,
    RestartPolicy, Role,
};

impl Model<'_> {
    /// Whether a run follows, and whether runs of all do: nothing after the success of an init
    /// container, else what the first rule that matches says, else what the policy says.
    fn follows(&self, container: ContainerIndex, end: End, run: &Run) -> (bool, bool) {
        if end.made_way {
            return (true, false);
        }
        let spec = self.spec.container(container);
        if spec.role == Role::Init && end.code == 0 {
            return (false, false);
        }
        for rule in &spec.restart_rules {
            let among = rule.codes.iter().any(|code| *code == i32::from(end.code));
            if among == (rule.operator == ExitCodeOperator::In) {
                return (true, rule.action == RestartAction::RestartAllContainers);
            }
        }
        let well = end.code == 0 && !run.is_unwell();
        let again = match spec.restart_policy {
            RestartPolicy::Always => true,
            RestartPolicy::OnFailure => !well,
            RestartPolicy::Never => false,
        };
        (again, false)
    }

    /// Whether the latest end of a container is followed by another run; nothing for one that has not
    /// ended.
    pub(super) fn is_followed(&self, container: ContainerIndex) -> Option<bool> {
        let run = self.life(container).runs.iter().rfind(|run| run.end.is_some())?;
        Some(self.follows(container, run.end?, run).0)
    }

    /// The delay after a failure at `failed`, where `earlier` are the failures before it with the
    /// moments at which the next try followed: none at first, then 10 s, doubling up to `longest`. A
    /// failure more than twice the longest after the last try is a first one again.
    fn delay(failed: Millis, earlier: &[(Millis, Millis)], longest: Millis) -> Millis {
        let mut in_a_row = 0;
        let failures = earlier.iter().map(|(failed, _)| *failed).chain([failed]);
        let mut last_try = None;
        for (index, failed) in failures.enumerate() {
            if last_try.is_some_and(|last| failed > last + 2 * longest) {
                in_a_row = 0;
            }
            in_a_row += 1;
            last_try = earlier.get(index).map(|(_, next_try)| *next_try);
        }
        [0, 10, 20, 40, 80, 160, 300][in_a_row.min(7) - 1].min(longest / SECOND) * SECOND
    }

    /// The first step towards the next run of a container that has its turn.
    pub(super) fn next_try(&self, container: ContainerIndex) -> Next {
        let life = self.life(container);
        let image = Action::PrepareImage { container };
        match life.looks {
            Looks::Running => Next::Nothing,
            Looks::Untried | Looks::MadeWay => Next::Now(image),
            Looks::NotMade(at, _) => self.when(at + 10 * SECOND, image),
            Looks::NoImage(
                at,
                ImageErrorKind::NeverPull | ImageErrorKind::InvalidName | ImageErrorKind::Inspect,
            ) => self.when(at + 10 * SECOND, image),
            Looks::NoImage(at, ImageErrorKind::Pull | ImageErrorKind::RegistryUnavailable) => {
                // Each failure also counts as a try, and the first one waits too.
                let pulls: Vec<_> = life.failed_pulls.iter().map(|at| (*at, *at)).collect();
                let delay = Self::delay(at, &pulls, 300 * SECOND);
                let until = at + delay;
                if self.now < at + SECOND {
                    Next::At(at + SECOND)
                } else if self.now < until {
                    self.back_off(container, BackOffCause::Image, delay, until)
                } else {
                    Next::Now(image)
                }
            }
            Looks::PullBackOff { until } => self.when(until, image),
            Looks::Ended | Looks::Crashing { .. } => {
                let run = life.runs.last().unwrap();
                let end = run.end.unwrap();
                let (again, all) = self.follows(container, end, run);
                let delay = Self::delay(end.at, &life.retries, self.max_delay);
                let until = end.at + delay;
                let action = if all { Action::RestartAll { container } } else { image };
                if !again {
                    Next::Nothing
                } else if self.now < until && life.looks == Looks::Ended {
                    self.back_off(container, BackOffCause::Crash, delay, until)
                } else {
                    self.when(until, action)
                }
            }
        }
    }

    fn back_off(
        &self,
        container: ContainerIndex,
        cause: BackOffCause,
        delay: Millis,
        until: Millis,
    ) -> Next {
        let delay = Duration::from_millis(delay);
        Next::Now(Action::BackOff { container, cause, delay, until: self.instant(until) })
    }
}
