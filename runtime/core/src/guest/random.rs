//! Where guests' random numbers come from.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use wasmtime_wasi::WasiCtxBuilder;

/// The source of a Pod's random numbers.
#[derive(Clone, Debug)]
pub enum PodRandom {
    /// The operating system's: the default.
    System,
    /// Repeatable: the same seed gives each run of each container the same numbers. Not for
    /// guests that keep secrets.
    Seed(u64),
}

impl PodRandom {
    /// Sets the generators of one run. `run` names it within the Pod: container and attempt.
    pub(crate) fn apply(&self, run: &str, builder: &mut WasiCtxBuilder) {
        match self {
            Self::System => {}
            Self::Seed(seed) => {
                let mut secure = generator(*seed, run, "random");
                let insecure = generator(*seed, run, "insecure");
                let guest_seed =
                    (u128::from(secure.next_u64()) << 64) | u128::from(secure.next_u64());
                builder.secure_random(secure);
                builder.insecure_random(insecure);
                builder.insecure_random_seed(guest_seed);
            }
        }
    }
}

fn generator(seed: u64, run: &str, purpose: &str) -> StdRng {
    let digest = Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(run)
        .chain_update([0])
        .chain_update(purpose)
        .finalize();
    StdRng::from_seed(digest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_runs_differ() {
        let draw = |seed, run| generator(seed, run, "random").next_u64();
        assert_eq!(draw(1, "web/0"), draw(1, "web/0"));
        assert_ne!(draw(1, "web/0"), draw(1, "web/1"));
        assert_ne!(draw(1, "web/0"), draw(2, "web/0"));
    }
}
