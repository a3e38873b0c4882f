//! What a handler should not do.

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::http::types::ResponseOutparam;

use crate::{answer, begin, write};

/// Long enough for what was written to go out, in nanoseconds.
pub(crate) const MOMENT: u64 = 50_000_000;

pub(crate) fn make(word: &str, rest: &str, outparam: ResponseOutparam) {
    match (word, rest) {
        ("trap", "soon" | "late") => {
            let (stream, _body) = begin(outparam, 200, None);
            let _ = write(&stream, b"so far so good\n");
            if rest == "late" {
                subscribe_duration(MOMENT).block();
            }
            trap();
        }
        ("trap", _) => trap(),
        ("exit", _) => std::process::exit(1),
        ("unfinished", _) => {
            let (stream, body) = begin(outparam, 200, None);
            let _ = write(&stream, b"half of it");
            if rest == "late" {
                subscribe_duration(MOMENT).block();
            }
            // In this order: a body with an open stream cannot be dropped.
            drop(stream);
            drop(body);
        }
        ("spin", "late") => {
            let (stream, _body) = begin(outparam, 200, None);
            let _ = write(&stream, b"now it computes\n");
            spin();
        }
        ("spin", _) => spin(),
        ("grow", mib) => {
            let mib: usize = mib.parse().unwrap_or(0);
            let grown = core::arch::wasm32::memory_grow(0, mib * 16) != usize::MAX;
            answer(outparam, 200, if grown { "grown\n" } else { "denied\n" });
        }
        _ => answer(outparam, 404, "nothing is done at this path\n"),
    }
}

fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

fn spin() {
    let mut turns = 0_u64;
    while std::hint::black_box(turns) < u64::MAX {
        turns += 1;
    }
}
