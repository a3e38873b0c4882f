//! What a round trip and a stream of bytes cost between two programs.
//!
//! | command | does |
//! |---|---|
//! | `tcp server ADDRESS` | serves one connection after the other, for ever |
//! | `tcp rtt ADDRESS COUNT [WARMUP]` | prints `rtt_us MIN MEDIAN MEAN P99` of COUNT 64-byte round trips |
//! | `tcp bulk ADDRESS MIB` | sends MIB in writes of 64 KiB, prints `bulk_gibs VALUE` |
//! | `tcp spin` | computes for ever: a neighbour |
//!
//! The first 8 bytes of a connection say what it is: 0 asks for echo, n for a sink of n bytes.

use std::env;
use std::hint::black_box;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

const CHUNK: usize = 64 * 1024;
const MESSAGE: usize = 64;
const MIB: u64 = 1024 * 1024;
const ATTEMPTS: u32 = 500;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server", address] => serve(address),
        ["rtt", address, count] => measure_round_trips(address, count, "100"),
        ["rtt", address, count, warmup] => measure_round_trips(address, count, warmup),
        ["bulk", address, mib] => measure_bulk(address, mib),
        ["spin"] => spin(),
        _ => {
            eprintln!(
                "usage: tcp server ADDRESS | rtt ADDRESS COUNT [WARMUP] | bulk ADDRESS MIB | spin"
            );
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(address: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind(address)?;
    println!("listening");
    loop {
        let (stream, _) = listener.accept()?;
        match serve_one(stream) {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => eprintln!("{error}"),
            Ok(()) | Err(_) => {}
        }
    }
}

fn serve_one(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let mut left = u64::from_le_bytes(head);
    if left == 0 {
        let mut message = [0; MESSAGE];
        loop {
            stream.read_exact(&mut message)?;
            stream.write_all(&message)?;
        }
    }
    let mut chunk = vec![0; CHUNK];
    while left > 0 {
        match stream.read(&mut chunk)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => left = left.saturating_sub(count as u64),
        }
    }
    stream.write_all(&[1])
}

fn measure_round_trips(address: &str, count: &str, warmup: &str) -> Result<(), Failure> {
    let (count, warmup): (usize, usize) = (count.parse()?, warmup.parse()?);
    let mut stream = connect(address)?;
    stream.write_all(&0_u64.to_le_bytes())?;
    let mut message = [7; MESSAGE];
    let mut times = Vec::with_capacity(count);
    for index in 0..warmup + count {
        let start = Instant::now();
        stream.write_all(&message)?;
        stream.read_exact(&mut message)?;
        if index >= warmup {
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    println!("rtt_us {:.2} {:.2} {mean:.2} {:.2}", at(0.0), at(0.5), at(0.99));
    Ok(())
}

fn measure_bulk(address: &str, mib: &str) -> Result<(), Failure> {
    let mib: u64 = mib.parse()?;
    let mut stream = connect(address)?;
    let total = mib * MIB;
    stream.write_all(&total.to_le_bytes())?;
    let chunk = vec![7; CHUNK];
    let start = Instant::now();
    for _ in 0..total / CHUNK as u64 {
        stream.write_all(&chunk)?;
    }
    stream.read_exact(&mut [0])?;
    println!("bulk_gibs {:.3}", mib as f64 / 1024.0 / start.elapsed().as_secs_f64());
    Ok(())
}

/// The server may still be starting.
fn connect(address: &str) -> io::Result<TcpStream> {
    let mut attempt = 1;
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
        sleep(Duration::from_millis(10));
    }
}

fn spin() -> Result<(), Failure> {
    let mut state: u64 = 88_172_645_463_325_252;
    loop {
        for _ in 0..1_000_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
        }
        state = black_box(state);
    }
}
