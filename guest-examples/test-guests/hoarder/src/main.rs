//! `hoarder KIND [COUNT]`: has its host hold so many things of a kind, or as many as it can, says how many
//! it came to and why no more, and keeps them for ever.
//!
//! | kind | thing |
//! |---|---|
//! | `nothing` | none: the measure for the others |
//! | `sockets` | a UDP socket |
//! | `pipes` | a connection to itself, full of bytes that nobody reads |
//! | `tails` | the same, of which all but the last byte is read |
//! | `backlog` | a connection that sent a page, was closed and is never accepted |
//! | `datagrams` | a UDP socket, full of datagrams that nobody reads |
//! | `files` | an open file |
//! | `reads` | a stream of a file that was asked for 64 KiB and never for the answer |
//! | `writes` | a stream of a file that was given 64 KiB and not waited for |
//! | `pollables` | something to wait for |
//! | `bodies` | the body of a request that is written and never sent |
//! | `requests` | a request to a server of its own that never answers, with a body |
//! | `headers` | a list of headers as large as it may be |
//! | `random` | random bytes, 1 MiB at once, again and again |
//! | `names` | a name of a file that is longer than any, 1 MiB, again and again |
//! | `line` | a line of a log without end |

mod files;
mod http;
mod network;

use std::env;
use std::fmt::Display;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::random::random::get_random_bytes;

/// How many there are, and why no more.
struct Hoard {
    count: usize,
    end: String,
}

impl Hoard {
    /// As many as `most` of what `make` makes, until it fails.
    fn of<Thing, Error: Display>(
        most: usize,
        kept: &mut Vec<Thing>,
        mut make: impl FnMut(usize) -> Result<Thing, Error>,
    ) -> Self {
        for count in 0..most {
            match make(count) {
                Ok(thing) => kept.push(thing),
                Err(error) => return Self { count, end: error.to_string() },
            }
        }
        Self { count: most, end: "enough".to_owned() }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (kind, most) = match words[..] {
        [kind] => (kind, usize::MAX),
        [kind, count] => (kind, count.parse().unwrap_or(usize::MAX)),
        _ => ("", 0),
    };
    match kind {
        "nothing" => keep((), Hoard { count: 0, end: "nothing was asked for".to_owned() }),
        "sockets" => network::sockets(most),
        "pipes" => network::pipes(most),
        "tails" => network::tails(most),
        "backlog" => network::backlog(most),
        "datagrams" => network::datagrams(most),
        "files" => files::open(most),
        "reads" => files::reads(most),
        "writes" => files::writes(most),
        "pollables" => {
            let mut kept = Vec::new();
            let make = |_| Ok::<_, String>(subscribe_duration(3_600_000_000_000));
            let hoard = Hoard::of(most, &mut kept, make);
            keep(kept, hoard)
        }
        "bodies" => http::bodies(most),
        "requests" => http::requests(most),
        "headers" => http::headers(most),
        "random" => again(most, || get_random_bytes(1 << 20).len()),
        "names" => {
            let name = "n".repeat(1 << 20);
            again(most, || std::fs::read(&name).map_or(0, |bytes| bytes.len()))
        }
        "line" => again(most, || {
            print!("{}", "x".repeat(64 << 10));
            0
        }),
        _ => {
            eprintln!("usage: hoarder KIND [COUNT]");
            ExitCode::from(2)
        }
    }
}

/// Says what it came to, and keeps it.
fn keep<Kept>(kept: Kept, hoard: Hoard) -> ExitCode {
    println!("holding {}, then: {}", hoard.count, hoard.end);
    loop {
        sleep(Duration::from_secs(3600));
        std::hint::black_box(&kept);
    }
}

fn again(most: usize, deed: impl Fn() -> usize) -> ExitCode {
    for _ in 0..most {
        std::hint::black_box(deed());
    }
    println!();
    keep((), Hoard { count: most, end: "enough".to_owned() })
}
