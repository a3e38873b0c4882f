//! What a Pod takes of a machine that other Pods want too. Pure: figures and the clock come in.
//!
//! Each Pod that is busy tells the others its weight, what it has used and what it would use alone,
//! and looks some twenty times a second at what they tell. What all of them got in that time is shared
//! out by weight (nobody gets more than it wants, and what that leaves goes to the others); who
//! has got more than its share is *ahead*. Who is ahead of one that wants more is held to its share
//! until it no longer is. The one that is furthest behind is never held and takes what the others
//! leave, so nobody needs to know how many cores there are and how much of them other
//! programs take. Where cores are idle all the same (one that is bound elsewhere may want more and
//! get nothing) they are anybody's, and there is no hold for a while.
//!
//! Rule: a Pod's weight is that of its CPU request, as the kernel shares out by `cpu.shares`.

use crate::executor::clock::{MILLISECOND, Nanos};
use crate::executor::queue::Totals;
use crate::executor::share::MilliCpu;

/// How often a Pod looks at the others.
pub(super) const ROUND: Nanos = 50 * MILLISECOND;

/// Figures that are older say nothing about now.
const LONGEST: Nanos = 4 * ROUND;

/// CPU time ahead of another with which a hold begins, and with which it ends. In between all goes on
/// as it was: the kernel is fair by itself to some milliseconds, and a hold that ended when all are
/// even would begin again with the next round.
const BEGIN: i64 = 10 * MILLISECOND.cast_signed();
const END: i64 = -5 * MILLISECOND.cast_signed();

/// CPU time ahead or behind that is remembered.
pub(super) const MOST: i64 = 100 * MILLISECOND.cast_signed();

/// What is ahead is given back within so many rounds.
const PAYMENTS: i64 = 4;

/// A hold is wider than the share by this part, so that all grow when others leave the machine.
const ROOM: Nanos = 32;

/// So much of the machine is always idle for a moment, between a hold and a wake.
const SLACK: Nanos = 16;

/// A hold that leaves so much of the machine idle is for one that cannot take it.
const WASTE: Nanos = 4;

/// The most rounds without a hold after that.
const LONGEST_TRUCE: u32 = 16;

/// Of what is ahead or behind, this part is forgotten each round.
const OBLIVION: i64 = 64;

/// Real time of polls that is lost on any machine, as a part of a core: no sign of want.
const NOISE: Nanos = 50;

/// Who uses less than this part of a core is not busy.
const BUSY: Nanos = 20;

/// What a Pod tells the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Its name among them.
    pub(super) id: u64,
    pub(super) weight: u32,
    /// What it would use alone, in thousandths of a core.
    pub(super) demand: u32,
    /// CPU time used so far.
    pub(super) cpu: Nanos,
    /// CPU time above its share, negative below, if it wants more than it gets.
    pub(super) ahead: Option<i64>,
}

/// What a Pod knows when it looks at the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'others> {
    pub(super) now: Nanos,
    pub(super) own: Totals,
    pub(super) others: &'others [Standing],
    /// CPU time so far that nobody wanted.
    pub(super) idle: Nanos,
}

/// What is to be done until the next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::executor) enum Verdict {
    /// It uses too little to matter to others.
    Quiet,
    /// It takes what it gets.
    Free,
    /// It takes no more than its share, and runs on no more cores at a time than that takes.
    Held(MilliCpu),
}

/// A Pod's view of its share, from round to round.
#[derive(Debug)]
pub(super) struct FairShare {
    weight: u32,
    cores: fn() -> usize,
    last: Option<Last>,
    demand: u32,
    /// CPU time above its share; negative below.
    ahead: i64,
    wants_more: bool,
    /// Its share in thousandths of a core, evened out.
    share: Option<Nanos>,
    is_held: bool,
    /// What it is held to, in thousandths of a core.
    rate: Nanos,
    truce: Truce,
}

/// Rounds without a hold: twice as many each time that a hold has left cores idle.
#[derive(Debug, Default)]
struct Truce {
    left: u32,
    length: u32,
}

#[derive(Debug)]
struct Last {
    now: Nanos,
    own: Totals,
    idle: Nanos,
    others: Vec<Standing>,
}

/// Who wants how much of something, and with what weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) weight: u32,
    pub(super) demand: Nanos,
}

impl FairShare {
    /// Of a Pod of that weight; `cores` is asked when it matters.
    pub(super) fn new(weight: u32, cores: fn() -> usize) -> Self {
        let weight = weight.max(1);
        Self {
            weight,
            cores,
            last: None,
            demand: 0,
            ahead: 0,
            wants_more: false,
            share: None,
            is_held: false,
            rate: 0,
            truce: Truce::default(),
        }
    }

    /// What is told to the others after a round.
    pub(super) fn standing(&self, id: u64) -> Standing {
        let ahead = self.wants_more.then_some(self.ahead);
        let cpu = self.last.as_ref().map_or(0, |last| last.own.cpu);
        Standing { id, weight: self.weight, demand: self.demand, cpu, ahead }
    }

    /// Whether it is time for a round.
    pub(super) fn is_due(&self, now: Nanos) -> bool {
        self.last.as_ref().is_none_or(|last| now.saturating_sub(last.now) >= ROUND)
    }

    /// How long until then.
    pub(super) fn due_in(&self, now: Nanos) -> Nanos {
        self.last.as_ref().map_or(0, |last| (last.now + ROUND).saturating_sub(now))
    }

    /// Decides for the time until the next round.
    pub(super) fn round(&mut self, view: View<'_>) -> Verdict {
        let last = self.last.replace(Last {
            now: view.now,
            own: view.own,
            idle: view.idle,
            others: view.others.to_vec(),
        });
        let last = last.filter(|last| view.now.saturating_sub(last.now) <= LONGEST);
        let Some(last) = last else {
            self.forget();
            return Verdict::Quiet;
        };
        let elapsed = view.now.saturating_sub(last.now).max(1);
        let cpu = view.own.cpu.saturating_sub(last.own.cpu);
        self.note_demand(&view, &last, elapsed, cpu);
        if cpu < elapsed / BUSY && self.demand < 1000 / 20 {
            self.forget();
            return Verdict::Quiet;
        }
        if view.others.is_empty() {
            self.forget();
            return Verdict::Free;
        }
        let (idle, all) = (view.idle.saturating_sub(last.idle), self.cores() * elapsed);
        self.truce.pass(self.is_held, idle > all / WASTE);
        let idle = idle.saturating_sub(all / SLACK);
        let fair = self.fair(&view, &last, elapsed, cpu, idle);
        let ahead = self.ahead.saturating_add_unsigned(cpu).saturating_sub_unsigned(fair);
        self.ahead = (ahead - ahead / OBLIVION).clamp(-MOST, MOST);
        self.wants_more = window(self.demand, elapsed) > fair.min(cpu + elapsed / NOISE);
        let before = match view.others.iter().filter_map(|other| other.ahead).min() {
            Some(other) => self.ahead.saturating_sub(other),
            // The others may have all that they want because of the hold.
            None if idle == 0 => 0,
            None => -MOST,
        };
        let bound = if self.is_held { END } else { BEGIN };
        self.is_held = before > bound && self.truce.left == 0;
        self.verdict(before, fair, elapsed)
    }

    fn forget(&mut self) {
        (self.ahead, self.wants_more, self.share, self.is_held) = (0, false, None, false);
    }

    fn cores(&self) -> Nanos {
        Nanos::try_from((self.cores)()).unwrap_or(1).clamp(1, 1 << 16)
    }

    /// While it was not held it used, or wanted to, what it would use alone. One that was held to few
    /// cores, and was busy on them, has shown that it wants no less than before.
    fn note_demand(&mut self, view: &View<'_>, last: &Last, elapsed: Nanos, cpu: Nanos) {
        let held = view.own.held.saturating_sub(last.own.held).min(elapsed);
        let free = elapsed - held;
        // In less time than that it has shown nothing.
        if free < elapsed / 16 {
            return;
        }
        let lost = view.own.lost.saturating_sub(last.own.lost);
        let lost = if lost > elapsed / NOISE { lost } else { 0 };
        let wanted = cpu.saturating_add(lost);
        let demand = (wanted.saturating_mul(1000) / free).min(self.cores() * 1000);
        let demand = u32::try_from(demand).unwrap_or(u32::MAX);
        let is_busy = held > 0 || u64::from(demand) * 5 > self.width() * 1000 * 4;
        let least = if self.is_held && is_busy { self.demand } else { 0 };
        self.demand = demand.max(least);
    }

    /// Cores that it may use at a time.
    fn width(&self) -> Nanos {
        if self.is_held { self.rate.div_ceil(1000) } else { self.cores() }
    }

    /// The CPU time that it should have had since the last round.
    fn fair(&self, view: &View<'_>, last: &Last, elapsed: Nanos, cpu: Nanos, idle: Nanos) -> Nanos {
        let own = Claim { weight: self.weight, demand: window(self.demand, elapsed).max(cpu) };
        let mut claims = vec![own];
        let mut total = cpu;
        for other in view.others {
            let before = last.others.iter().find(|before| before.id == other.id);
            let used = before.map_or(0, |before| other.cpu.saturating_sub(before.cpu));
            total = total.saturating_add(used);
            let demand = window(other.demand, elapsed).max(used);
            claims.push(Claim { weight: other.weight.max(1), demand });
        }
        share_of_first(total, &claims).saturating_add(idle).min(own.demand)
    }

    /// `before` the other by so much, both of them give up half of it.
    fn verdict(&mut self, before: i64, fair: Nanos, elapsed: Nanos) -> Verdict {
        let now = fair.saturating_mul(1000) / elapsed;
        // What others have told is up to a round old: one look alone says little.
        let share = self.share.map_or(now, |share| share / 4 * 3 + now / 4);
        self.share = Some(share);
        if !self.is_held {
            return Verdict::Free;
        }
        let owed = before.clamp(0, 2 * MOST) / 2 / PAYMENTS * 1000 / elapsed.cast_signed();
        let rate = share.saturating_add(share / ROOM).saturating_add_signed(-owed);
        self.rate = rate.max(share / 4 * 3).max(1);
        let rate = u32::try_from(self.rate).unwrap_or(u32::MAX);
        MilliCpu::new(rate).map_or(Verdict::Free, Verdict::Held)
    }
}

impl Truce {
    /// A round is over, with a hold or without, and cores were left idle or were not.
    fn pass(&mut self, was_held: bool, was_idle: bool) {
        match (was_held, was_idle) {
            (true, false) => self.length = self.length.saturating_sub(1),
            (true, true) => {
                self.length = (self.length * 2).clamp(2, LONGEST_TRUCE);
                self.left = self.length;
            }
            (false, _) => self.left = self.left.saturating_sub(1),
        }
    }
}

/// What so many thousandths of a core are in a time.
fn window(thousandths: u32, elapsed: Nanos) -> Nanos {
    Nanos::from(thousandths) * elapsed / 1000
}

/// What the first of `claims` gets of `total`: by weight, but nobody more than it wants.
pub(super) fn share_of_first(total: Nanos, claims: &[Claim]) -> Nanos {
    let part = |left: Nanos, claim: &Claim, weights: u64| {
        let part = u128::from(left) * u128::from(claim.weight) / u128::from(weights.max(1));
        Nanos::try_from(part).unwrap_or(Nanos::MAX)
    };
    let mut open: Vec<(usize, Claim)> = claims.iter().copied().enumerate().collect();
    let mut left = total;
    loop {
        let weights = open.iter().map(|(_, claim)| u64::from(claim.weight)).sum();
        let before = (open.len(), left);
        let mut given = 0;
        open.retain(|(_, claim)| {
            let is_met = claim.demand <= part(before.1, claim, weights);
            given = if is_met { claim.demand.saturating_add(given) } else { given };
            !is_met
        });
        left = left.saturating_sub(given);
        match open.first() {
            Some((0, claim)) if open.len() == before.0 => return part(left, claim, weights),
            Some((0, _)) => {}
            Some(_) | None => return claims.first().map_or(0, |first| first.demand),
        }
    }
}
