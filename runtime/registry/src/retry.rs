//! Trying again what may go well.

use std::time::Duration;

use crate::error::Failure;
use crate::options::Limits;

/// The longest wait between two attempts, however many there were.
const LONGEST: Duration = Duration::from_secs(10);

/// Attempts in a row.
#[derive(Debug)]
pub(crate) struct Attempts {
    limits: Limits,
    failed: u32,
}

impl Attempts {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, failed: 0 }
    }

    /// Something was gained: the next failure is the first again.
    pub(crate) fn progressed(&mut self) {
        self.failed = 0;
    }

    /// How long to wait before the next attempt; `Err` gives the failure back when there is none.
    pub(crate) fn after(&mut self, failure: Failure) -> Result<Duration, Failure> {
        self.failed += 1;
        // Who says "too many" is not asked more: the Pod's back-off is what was meant.
        let is_enough = matches!(failure, Failure::TooManyRequests(_));
        if is_enough || !failure.is_transient() || self.failed >= self.limits.attempts {
            return Err(failure);
        }
        let factor = 1_u32.checked_shl(self.failed - 1).unwrap_or(u32::MAX);
        Ok(self.limits.back_off.saturating_mul(factor).min(LONGEST))
    }
}

/// Does it until it goes well, fails for good or was tried often enough.
pub(crate) async fn retry<Value, Attempt: Future<Output = Result<Value, Failure>>>(
    limits: Limits,
    attempt: impl Fn() -> Attempt,
) -> Result<Value, Failure> {
    let mut attempts = Attempts::new(limits);
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(failure) => tokio::time::sleep(attempts.after(failure)?).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let mut attempts = Attempts::new(Limits { attempts: 9, ..Limits::default() });
        let mut waits = Vec::new();
        while let Ok(wait) = attempts.after(Failure::Unavailable(String::new())) {
            waits.push(wait.as_millis());
        }
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        attempts.progressed();
        assert!(attempts.after(Failure::Unavailable(String::new())).is_ok());
        attempts.progressed();
        assert!(attempts.after(Failure::NotFound(String::new())).is_err());
        assert!(attempts.after(Failure::TooManyRequests(String::new())).is_err());
    }
}
