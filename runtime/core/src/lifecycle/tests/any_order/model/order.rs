//! Whose turn it is: the sandbox, init containers one by one, sidecars, app containers.

use super::history::{Place, Scheduling};
use super::life::{Looks, Run, Step};
use super::{Model, Next, millis};
use crate::lifecycle::{Action, ContainerIndex, PodFailure, ProbeKind, Role};

impl Model<'_> {
    /// What every part of the Pod wants next.
    pub(super) fn wanted(&self) -> Vec<Next> {
        if self.story.sandbox == Place::TearingDown {
            return Vec::new();
        }
        if let Some(ending) = &self.story.ending {
            return self.wanted_at_the_end(ending);
        }
        if self.story.restarting_all {
            return self.wanted_to_make_way();
        }
        if self.work_is_done() {
            let next = if self.is_at_rest() { Action::Teardown } else { Action::End };
            return vec![Next::Now(next)];
        }
        match &self.story.scheduling {
            Scheduling::Due(refusal) => {
                return vec![Next::Now(Action::Schedule { refusal: refusal.clone() })];
            }
            Scheduling::Asked(_) => return Vec::new(),
            Scheduling::Done => {}
        }
        let mut wanted = Vec::new();
        if let Some(limit) = self.spec.active_deadline {
            let fail = Action::Fail(PodFailure::deadline_exceeded());
            match self.when(self.story.taken_on + millis(limit), fail) {
                Next::Now(fail) => return vec![Next::Now(fail)],
                later => wanted.push(later),
            }
        }
        match &self.story.sandbox {
            Place::Untried => wanted.push(Next::Now(Action::PrepareSandbox)),
            Place::Failed { again } => wanted.push(self.when(*again, Action::PrepareSandbox)),
            Place::Preparing | Place::CalledOff | Place::TearingDown => {}
            Place::Ready => {
                for container in self.spec.indices() {
                    self.wanted_by(container, &mut wanted);
                }
            }
        }
        wanted
    }

    /// All app containers, or one init container, have ended for good.
    fn work_is_done(&self) -> bool {
        let ended_for_good = |container| {
            let life = self.life(container);
            life.looks == Looks::Ended
                && life.step == Step::Idle
                && self.is_followed(container) == Some(false)
        };
        let failed = |container| self.life(container).end().is_some_and(|end| end.code != 0);
        let mut apps = self.of_role(Role::App);
        apps.all(ended_for_good)
            || self.of_role(Role::Init).any(|init| ended_for_good(init) && failed(init))
    }

    pub(super) fn of_role(&self, role: Role) -> impl Iterator<Item = ContainerIndex> {
        self.spec.indices().filter(move |index| self.spec.container(*index).role == role)
    }

    /// Nothing runs, and nothing is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        !matches!(self.story.sandbox, Place::Preparing | Place::CalledOff)
            && self.spec.indices().all(|container| self.rests(container))
    }

    pub(super) fn rests(&self, container: ContainerIndex) -> bool {
        let life = self.life(container);
        life.running().is_none() && matches!(life.step, Step::Idle | Step::Ready)
    }

    /// An app container has run since all were last started together.
    pub(super) fn is_initialized(&self) -> bool {
        self.of_role(Role::App).any(|app| self.life(app).has_begun)
    }

    /// Whether everything before `container` is where it has to be.
    fn has_its_turn(&self, container: ContainerIndex) -> bool {
        let role = self.spec.container(container).role;
        if self.is_initialized() {
            return role != Role::Init;
        }
        let before = self.spec.indices().take_while(|index| *index != container);
        before.into_iter().all(|index| match self.spec.container(index).role {
            Role::Init => self.has_succeeded(index),
            Role::Sidecar => {
                let run = self.life(index).running();
                run.is_some_and(|run| self.started(index, run).is_some())
            }
            Role::App => true,
        })
    }

    fn has_succeeded(&self, init: ContainerIndex) -> bool {
        let life = self.life(init);
        life.looks == Looks::Ended && life.end().is_some_and(|end| end.code == 0)
    }

    fn wanted_by(&self, container: ContainerIndex, wanted: &mut Vec<Next>) {
        let life = self.life(container);
        if let Some(run) = life.running() {
            return self.wanted_by_run(container, run, wanted);
        }
        if !self.has_its_turn(container) {
            return;
        }
        match life.step {
            Step::Image | Step::Starting | Step::CalledOff => {}
            Step::Ready if self.is_held_back(container) => {}
            Step::Ready => {
                let attempt = u32::try_from(life.runs.len()).unwrap();
                wanted.push(Next::Now(Action::Start { container, attempt }));
            }
            Step::Idle => wanted.push(self.next_try(container)),
        }
    }

    /// An app container waits while one before it is on its way to the end of its postStart hook.
    fn is_held_back(&self, container: ContainerIndex) -> bool {
        let mut before = self.of_role(Role::App).take_while(|index| *index != container);
        self.spec.container(container).role == Role::App
            && before.any(|index| {
                let life = self.life(index);
                self.spec.container(index).post_start
                    && match life.running() {
                        Some(run) => run.post_start.as_ref().is_none_or(|call| call.end.is_none()),
                        None => life.step != Step::Idle,
                    }
            })
    }

    /// A guest that runs: its hook is called, its probes are asked, and it is ended if one of these
    /// has failed.
    fn wanted_by_run(&self, container: ContainerIndex, run: &Run, wanted: &mut Vec<Next>) {
        if run.stopping.is_some() {
            wanted.push(self.go_on_ending(container, run));
        } else if let Some((why, since)) = self.trouble(container, run) {
            let deadline = since + self.own_grace(container, why);
            wanted.push(self.begin_to_end(container, why, deadline));
        } else if self.spec.container(container).post_start && run.post_start.is_none() {
            wanted.push(Next::Now(Action::PostStart { container }));
        }
        for kind in ProbeKind::ALL {
            if run.stopping.is_none() || kind == ProbeKind::Readiness {
                wanted.push(self.question_unless_killed(container, run, kind));
            }
        }
    }
}
