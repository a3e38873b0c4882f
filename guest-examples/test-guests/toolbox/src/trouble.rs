//! What a container must survive about its neighbour, and a host about its guest.
//!
//! | words | deed |
//! |---|---|
//! | `allocate` | takes memory, MiB by MiB, until there is no more; says how much it was |
//! | `allocate after FILE` | the same, once FILE is there |
//! | `allocate-and-abort` | the same without looking: the failed allocation ends the program |
//! | `allocate-and-free COUNT` | takes 16 MiB and gives them back, COUNT times |
//! | `grow MIB` | takes so much at once; prints `denied` at each attempt that fails, then `holding`, and sleeps for ever |
//! | `hold MIB` | takes so much, prints `holding`, sleeps for ever |
//! | `hold MIB before FILE` | the same, and writes FILE once it has it |
//! | `panic` | panics |
//! | `recurse` | calls itself for ever |
//! | `spin` | prints `spinning`, then computes for ever and listens to nobody |
//! | `trap` | runs into `unreachable` |

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::{Failure, Outcome};

const MIB: usize = 1024 * 1024;

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    Some(match words {
        ["allocate"] => allocate(),
        ["allocate", "after", file] => allocate_after(Path::new(file)),
        ["allocate-and-free", count] => allocate_and_free(count),
        ["allocate-and-abort"] => allocate_and_abort(),
        ["grow", mib] => grow(mib),
        ["hold", mib] => hold(mib, None),
        ["hold", mib, "before", file] => hold(mib, Some(file)),
        ["panic"] => panic!("asked to"),
        ["recurse"] => recurse(),
        ["spin"] => spin(),
        ["trap"] => std::arch::wasm32::unreachable(),
        _ => return None,
    })
}

fn block(bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut block = Vec::new();
    block.try_reserve_exact(bytes)?;
    block.resize(bytes, 1);
    Ok(block)
}

fn allocate() -> Outcome {
    let mut blocks = Vec::new();
    while let Ok(block) = block(MIB) {
        blocks.push(block);
    }
    let taken = blocks.len();
    drop(blocks);
    println!("took {taken} MiB");
    Ok(())
}

fn allocate_after(file: &Path) -> Outcome {
    while !file.exists() {
        sleep(Duration::from_millis(20));
    }
    allocate()
}

fn allocate_and_free(count: &str) -> Outcome {
    for _ in 0..count.parse::<u64>()? {
        drop(black_box(block(16 * MIB)?));
    }
    println!("all of it is free again");
    Ok(())
}

fn allocate_and_abort() -> Outcome {
    let mut blocks = Vec::new();
    loop {
        blocks.push(black_box(vec![1_u8; MIB]));
    }
}

fn grow(mib: &str) -> Outcome {
    let bytes = mib.parse::<usize>()?.saturating_mul(MIB);
    while Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        println!("denied");
        sleep(Duration::from_millis(200));
    }
    hold(mib, None)
}

fn hold(mib: &str, file: Option<&str>) -> Outcome {
    let block = block(mib.parse::<usize>()?.saturating_mul(MIB))?;
    println!("holding");
    if let Some(file) = file {
        fs::write(file, "")?;
    }
    loop {
        sleep(Duration::from_secs(3600));
        black_box(&block);
    }
}

fn recurse() -> Outcome {
    #[expect(unconditional_recursion, reason = "that is the deed")]
    fn deeper(depth: u64) -> u64 {
        let frame = black_box([depth; 16]);
        deeper(depth + 1) + frame[0]
    }
    println!("{}", deeper(0));
    Ok(())
}

pub(crate) fn spin() -> Outcome {
    println!("spinning");
    let mut state: u64 = 88_172_645_463_325_252;
    loop {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state = black_box(state);
    }
}
