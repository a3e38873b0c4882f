//! CPU time that is spent for the guests beside their polls, and who pays for it. Pure.
//!
//! The ticker works for whoever runs. A thread aside does what a guest waits for (a file, mostly), and
//! nobody can tell for which of them: those pay whose polls have ended with a wait since. An account
//! that only computes pays nothing of that.

use super::clock::Nanos;
use super::ledger::Share;

/// What is not charged yet.
#[derive(Debug, Default)]
pub(super) struct Overhead {
    ticker: Nanos,
    aside: Nanos,
}

impl Overhead {
    pub(super) fn ticked(&mut self, cpu: Nanos) {
        self.ticker = self.ticker.saturating_add(cpu);
    }

    pub(super) fn aside(&mut self, cpu: Nanos) {
        self.aside = self.aside.saturating_add(cpu);
    }

    /// Adds to each share what its account has to pay.
    pub(super) fn charge<Account>(&mut self, settled: &mut [Share<Account>]) {
        pay(&mut self.ticker, settled, |share| share.took);
        pay(&mut self.aside, settled, |share| share.waits);
    }
}

/// Pays all of `pot`, if anybody is to pay anything.
fn pay<Account>(
    pot: &mut Nanos,
    settled: &mut [Share<Account>],
    part: impl Fn(&Share<Account>) -> u64,
) {
    let mut parts = settled.iter().fold(0, |sum: u64, share| sum.saturating_add(part(share)));
    for share in settled {
        if *pot == 0 || parts == 0 {
            return;
        }
        // Of what is left by what is left: the last pays the rest, and nothing is lost.
        let mine = part(share).min(parts);
        let paid = u128::from(*pot) * u128::from(mine) / u128::from(parts);
        let paid = Nanos::try_from(paid).unwrap_or(*pot);
        share.cpu = share.cpu.saturating_add(paid);
        (*pot, parts) = (*pot - paid, parts - mine);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(took: Nanos, waits: u64) -> Share<&'static str> {
        Share { account: "web", took, cpu: took, waits }
    }

    #[test]
    fn the_ticker_is_paid_by_who_runs_and_work_aside_by_who_waits() {
        let mut overhead = Overhead::default();
        overhead.ticked(10);
        overhead.aside(9);
        let mut settled = [share(300, 0), share(700, 2), share(0, 1)];
        overhead.charge(&mut settled);
        assert_eq!(settled.map(|share| share.cpu), [303, 713, 3]);
        let mut again = [share(1, 1)];
        overhead.charge(&mut again);
        assert_eq!(again[0].cpu, 1, "it is paid");
    }

    #[test]
    fn what_nobody_pays_is_not_forgotten() {
        let mut overhead = Overhead::default();
        overhead.aside(9);
        overhead.charge::<&str>(&mut []);
        overhead.charge(&mut [share(1000, 0)]);
        let mut settled = [share(1000, 1)];
        overhead.charge(&mut settled);
        assert_eq!(settled[0].cpu, 1009);
    }
}
