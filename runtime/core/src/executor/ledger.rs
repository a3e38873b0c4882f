//! Poll times made CPU time. Pure: both clocks come in.
//!
//! A reading of the thread's CPU clock costs 0.65 µs, a poll may take 1. So each poll is noted by
//! real time, and once a millisecond the notes are scaled to what the CPU clock says. By real time
//! alone a limited guest lost up to 7 % to other processes of the machine.

use super::clock::{MILLISECOND, Nanos};

/// What one worker has polled since it last settled.
#[derive(Debug)]
pub(super) struct Ledger<Account> {
    notes: Vec<Note<Account>>,
    total: Nanos,
    cpu_clock: Nanos,
}

#[derive(Debug)]
struct Note<Account> {
    account: Account,
    took: Nanos,
    waits: u64,
}

/// An account's share of a settlement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Share<Account> {
    pub(super) account: Account,
    /// Real time of its polls, as noted.
    pub(super) took: Nanos,
    /// CPU time for that.
    pub(super) cpu: Nanos,
    /// How many of its polls have ended with a wait.
    pub(super) waits: u64,
}

impl<Account: PartialEq> Ledger<Account> {
    /// Starts with the CPU clock of the thread that will poll.
    pub(super) fn new(cpu_clock: Nanos) -> Self {
        Self { notes: Vec::new(), total: 0, cpu_clock }
    }

    /// Notes polls of `account`, of which so many ended with a wait.
    pub(super) fn note(&mut self, account: Account, took: Nanos, waits: u64) {
        self.total = self.total.saturating_add(took);
        match self.notes.iter_mut().find(|note| note.account == account) {
            Some(note) => {
                note.took = note.took.saturating_add(took);
                note.waits += waits;
            }
            None => self.notes.push(Note { account, took, waits }),
        }
    }

    /// Whether a millisecond has come together.
    pub(super) fn is_due(&self) -> bool {
        self.total >= MILLISECOND
    }

    /// Ends the notes and shares out the CPU time since the last settlement.
    ///
    /// The worker's own work between polls is on the CPU clock too, and charged with them: it is done
    /// for them, and a container with a small limit that is woken often would use a few per cent more
    /// than that.
    pub(super) fn settle(&mut self, cpu_clock: Nanos) -> impl Iterator<Item = Share<Account>> {
        let cpu = cpu_clock.saturating_sub(self.cpu_clock);
        let total = std::mem::take(&mut self.total).max(1);
        self.cpu_clock = cpu_clock;
        self.notes.drain(..).map(move |Note { account, took, waits }| {
            let share = u128::from(took) * u128::from(cpu) / u128::from(total);
            Share { account, took, cpu: u64::try_from(share).unwrap_or(took), waits }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_shared_out_by_real_time() {
        let mut ledger = Ledger::new(100);
        ledger.note("web", 600_000, 0);
        ledger.note("sidecar", 200_000, 3);
        assert!(!ledger.is_due());
        ledger.note("web", 200_000, 1);
        assert!(ledger.is_due());
        // Half of the real time went to other processes.
        let shares: Vec<_> = ledger.settle(100 + 500_000).collect();
        assert_eq!(
            shares,
            [
                Share { account: "web", took: 800_000, cpu: 400_000, waits: 1 },
                Share { account: "sidecar", took: 200_000, cpu: 100_000, waits: 3 },
            ]
        );
        assert!(!ledger.is_due());
    }

    #[test]
    fn the_workers_own_work_is_charged_with_the_polls() {
        let mut ledger = Ledger::new(0);
        ledger.note("web", 1_000, 0);
        let shares: Vec<_> = ledger.settle(5_000).collect();
        assert_eq!(shares, [Share { account: "web", took: 1_000, cpu: 5_000, waits: 0 }]);
        assert_eq!(ledger.settle(6_000_000).count(), 0);
    }
}
