//! Which worker polls, which is parked, which is stuck. Pure: decides whom to wake or to hire.
//!
//! ```text
//! Hired ──▶ Between ⇄ Polling ──over 3 ms while others wait──▶ Stuck ──▶ Between
//!              ⇅
//!            Parked
//! ```
//!
//! At most `allowed` workers poll at a time. A stuck worker does not count, so that a spare one
//! may take its place; spares are bounded, stay, and are parked most of the time: their drivers
//! may hold timers and sockets of guests.

use super::clock::{MILLISECOND, Nanos};

/// A poll that is longer, while others wait, gets its worker replaced.
const STUCK_AFTER: Nanos = 3 * MILLISECOND;

/// Spare workers, so many that a few guests may sit in host calls at once. A thread each.
const SPARES: usize = 4;

/// A worker's place in the crew, its own until it leaves.
pub(super) type WorkerId = usize;

#[derive(Debug)]
pub(super) struct Crew {
    allowed: Allowed,
    /// So many may poll at a time for now.
    width: usize,
    seats: Vec<Activity>,
    /// In order of parking; the last is the warmest.
    parked: Vec<WorkerId>,
}

/// How many may poll at a time; at least one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) workers: usize,
    /// Asked when a second worker could be of use: the first answer in a process takes the reading
    /// of a few files.
    pub(super) cores: fn() -> usize,
}

impl Allowed {
    /// Whether one more may poll beside `busy`.
    fn admits(self, busy: usize) -> bool {
        busy == 0 || (busy < self.workers && busy < (self.cores)())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    /// Its thread is being started.
    Hired,
    /// In its loop, about to look for work.
    Between,
    Polling {
        since: Nanos,
    },
    Stuck,
    Parked,
    /// Ended or never started.
    Gone,
}

/// What the caller has to do for a task to be polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summons {
    Wake(WorkerId),
    Hire(WorkerId),
}

impl Crew {
    /// A crew of which so many may poll at a time; nobody is hired yet.
    pub(super) fn new(allowed: Allowed) -> Self {
        Self { allowed, width: usize::MAX, seats: Vec::new(), parked: Vec::new() }
    }

    /// Has no more than `width` poll at a time, at least one, until told otherwise.
    pub(super) fn narrow(&mut self, width: usize) {
        self.width = width;
    }

    /// Whether one more may poll beside `busy`.
    fn admits(&self, busy: usize) -> bool {
        busy == 0 || (busy < self.width && self.allowed.admits(busy))
    }

    /// Whom to wake for a task that was queued and makes `waiting` of them, if anybody.
    ///
    /// Nobody when enough workers are about to look for work anyway, and the one that queues
    /// (`here`) looks after its poll. Otherwise `here` itself if its own driver woke it, else the
    /// warmest of the parked. A new one is hired only if there is none at all: the ticker hires
    /// when somebody has waited a whole tick, so that a Pod gets no thread that it does not need.
    pub(super) fn summon(&mut self, here: Option<WorkerId>, waiting: usize) -> Option<Summons> {
        let here_polls = here
            .is_some_and(|id| matches!(self.seats[id], Activity::Polling { .. } | Activity::Stuck));
        if waiting <= self.looking() + usize::from(here_polls) {
            return None;
        }
        self.wake(here).or_else(|| if self.present() == 0 { self.hire() } else { None })
    }

    /// Whom to wake or hire when one of `waiting` has waited for too long.
    pub(super) fn reinforce(&mut self, waiting: usize) -> Option<Summons> {
        // Those that look are late because the machine is busy: one more thread would be, too.
        if waiting <= self.looking() {
            return None;
        }
        self.wake(None).or_else(|| self.hire())
    }

    fn wake(&mut self, home: Option<WorkerId>) -> Option<Summons> {
        let id = home.filter(|id| self.is_parked(*id)).or_else(|| self.parked.last().copied())?;
        if !self.admits(self.coming()) {
            return None;
        }
        self.between(id);
        Some(Summons::Wake(id))
    }

    fn hire(&mut self) -> Option<Summons> {
        let spares = self.count(|activity| matches!(activity, Activity::Stuck)).min(SPARES);
        let seated = self.present().saturating_sub(spares);
        if !self.admits(self.coming()) || !self.admits(seated) {
            return None;
        }
        let id = self.seats.iter().position(|activity| *activity == Activity::Gone).unwrap_or_else(
            || {
                self.seats.push(Activity::Gone);
                self.seats.len() - 1
            },
        );
        self.seats[id] = Activity::Hired;
        Some(Summons::Hire(id))
    }

    /// Whether a worker that asks may take a task.
    pub(super) fn may_poll(&self) -> bool {
        self.admits(self.polling())
    }

    pub(super) fn begin_poll(&mut self, id: WorkerId, now: Nanos) {
        self.seats[id] = Activity::Polling { since: now };
    }

    /// The worker is in its loop: after a poll, after parking, or at its start.
    pub(super) fn between(&mut self, id: WorkerId) {
        self.parked.retain(|parked| *parked != id);
        self.seats[id] = Activity::Between;
    }

    pub(super) fn park(&mut self, id: WorkerId) {
        self.parked.push(id);
        self.seats[id] = Activity::Parked;
    }

    /// The worker's thread has ended, or could not be started.
    pub(super) fn leave(&mut self, id: WorkerId) {
        self.parked.retain(|parked| *parked != id);
        self.seats[id] = Activity::Gone;
    }

    pub(super) fn is_parked(&self, id: WorkerId) -> bool {
        self.seats[id] == Activity::Parked
    }

    /// Gives up on polls that take too long: their places are free for others. Call it only
    /// while somebody waits. Returns how many it gave up.
    pub(super) fn relieve(&mut self, now: Nanos) -> usize {
        let mut relieved = 0;
        for activity in &mut self.seats {
            if matches!(activity, Activity::Polling { since } if now.saturating_sub(*since) > STUCK_AFTER)
            {
                *activity = Activity::Stuck;
                relieved += 1;
            }
        }
        relieved
    }

    /// Whether anybody polls, stuck ones included.
    pub(super) fn is_busy(&self) -> bool {
        self.count(|activity| matches!(activity, Activity::Polling { .. } | Activity::Stuck)) > 0
    }

    /// Workers that have not left.
    pub(super) fn present(&self) -> usize {
        self.count(|activity| !matches!(activity, Activity::Gone))
    }

    /// Those that are about to look for work.
    fn looking(&self) -> usize {
        self.count(|activity| matches!(activity, Activity::Hired | Activity::Between))
    }

    /// Those that poll and those that are about to.
    fn coming(&self) -> usize {
        self.count(|activity| {
            matches!(activity, Activity::Hired | Activity::Between | Activity::Polling { .. })
        })
    }

    fn polling(&self) -> usize {
        self.count(|activity| matches!(activity, Activity::Polling { .. }))
    }

    fn count(&self, is: impl Fn(&Activity) -> bool) -> usize {
        self.seats.iter().filter(|activity| is(activity)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On a machine that has more cores than anybody needs.
    fn crew(workers: usize) -> Crew {
        Crew::new(Allowed { workers, cores: || 64 })
    }

    fn started(allowed: usize, workers: usize) -> Crew {
        let mut crew = crew(allowed);
        for id in 0..workers {
            assert_eq!(crew.reinforce(5), Some(Summons::Hire(id)));
            crew.between(id);
            crew.begin_poll(id, 0);
        }
        crew
    }

    #[test]
    fn the_first_task_hires_a_worker_and_a_long_wait_another() {
        let mut crew = crew(2);
        assert_eq!(crew.summon(None, 1), Some(Summons::Hire(0)));
        assert_eq!(crew.summon(None, 1), None, "it is on its way");
        crew.between(0);
        crew.begin_poll(0, 0);
        assert_eq!(crew.summon(None, 1), None, "left to the ticker");
        assert_eq!(crew.reinforce(5), Some(Summons::Hire(1)));
        assert_eq!(crew.reinforce(1), None, "it is late, as a third one would be");
        assert_eq!(crew.reinforce(5), None);
        assert_eq!(crew.present(), 2);
    }

    #[test]
    fn a_wake_from_a_poll_is_left_to_the_one_who_polls() {
        let mut crew = started(2, 2);
        crew.between(1);
        crew.park(1);
        assert_eq!(crew.summon(Some(0), 1), None);
        assert_eq!(crew.summon(Some(0), 2), Some(Summons::Wake(1)));
    }

    #[test]
    fn no_more_poll_than_allowed() {
        let mut crew = started(2, 2);
        assert!(!crew.may_poll());
        assert_eq!(crew.summon(None, 5), None);
        assert_eq!(crew.reinforce(5), None);
    }

    #[test]
    fn a_narrow_crew_leaves_cores_to_others_until_it_is_wide_again() {
        let mut crew = started(2, 2);
        crew.narrow(1);
        crew.between(1);
        assert!(!crew.may_poll(), "the other one polls");
        crew.park(1);
        assert_eq!(crew.reinforce(5), None);
        crew.between(0);
        assert!(crew.may_poll());
        crew.begin_poll(0, 0);
        crew.narrow(usize::MAX);
        assert_eq!(crew.reinforce(5), Some(Summons::Wake(1)));
        crew.narrow(0);
        crew.between(0);
        crew.park(0);
        assert!(crew.may_poll(), "one may always");
    }

    #[test]
    fn a_wake_goes_home_else_to_the_warmest() {
        let mut crew = started(3, 3);
        for id in 0..3 {
            crew.between(id);
            crew.park(id);
        }
        assert_eq!(crew.summon(Some(1), 1), Some(Summons::Wake(1)));
        assert_eq!(crew.summon(Some(1), 2), Some(Summons::Wake(2)));
        assert_eq!(crew.summon(None, 3), Some(Summons::Wake(0)));
    }

    #[test]
    fn a_stuck_worker_is_replaced_by_a_bounded_number_of_spares() {
        let mut crew = started(1, 1);
        assert_eq!(crew.relieve(STUCK_AFTER), 0);
        for spare in 1..=SPARES {
            assert_eq!(crew.relieve(STUCK_AFTER + 1), 1);
            assert_eq!(crew.reinforce(5), Some(Summons::Hire(spare)));
            crew.between(spare);
            crew.begin_poll(spare, 0);
        }
        assert_eq!(crew.relieve(STUCK_AFTER + 1), 1);
        assert_eq!(crew.reinforce(5), None, "the last spare is stuck too");

        // All come back: one polls, the others park.
        for id in 0..=SPARES {
            crew.between(id);
        }
        crew.begin_poll(0, 0);
        assert!(!crew.may_poll());
    }

    #[test]
    fn a_worker_that_could_not_start_is_not_waited_for() {
        let mut crew = crew(1);
        assert_eq!(crew.summon(None, 1), Some(Summons::Hire(0)));
        crew.leave(0);
        assert_eq!(crew.summon(None, 1), Some(Summons::Hire(0)));
    }
}
