//! `compute WORD ROUNDS`: does some work so many times, prints what came of it. The same words always
//! come to the same, so that a host cannot cut corners.

mod core_mix;
mod json;
mod memory;
mod text;

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let [word, rounds] = &words[..] else { return usage() };
    let Ok(rounds) = rounds.parse::<u32>() else { return usage() };
    let sum = match &**word {
        "core" => core_mix::run(rounds),
        "regex" => text::run(rounds),
        "json" => json::run(rounds),
        "memory" => memory::run(rounds),
        _ => return usage(),
    };
    println!("{word} {rounds}: {sum:016x}");
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: compute core|regex|json|memory ROUNDS");
    ExitCode::from(2)
}

/// Numbers that look like chance, the same in each run.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }
}

/// Mixes a value into a sum.
pub(crate) fn mix(sum: u64, value: u64) -> u64 {
    (sum ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29)
}
