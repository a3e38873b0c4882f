//! Memory: blocks that come and go, are filled, copied and read in no order.

use crate::{Numbers, mix};

const BLOCKS: usize = 64;

pub(crate) fn run(rounds: u32) -> u64 {
    let mut numbers = Numbers::new(13);
    let mut blocks: Vec<Vec<u64>> = Vec::new();
    let mut sum = 0;
    for round in 0..rounds {
        // From one kilobyte to half a megabyte.
        let length = 128 << numbers.below(10);
        let mut block = vec![u64::from(round); length];
        if let Some(other) = blocks.last() {
            let both = length.min(other.len());
            block[..both].copy_from_slice(&other[..both]);
        }
        for _ in 0..4096 {
            let at = numbers.below(length);
            block[at] = mix(block[at], numbers.next());
            sum = mix(sum, block[length - 1 - at]);
        }
        if blocks.len() < BLOCKS {
            blocks.push(block);
        } else {
            let at = numbers.below(BLOCKS);
            blocks[at] = block;
        }
    }
    sum
}
