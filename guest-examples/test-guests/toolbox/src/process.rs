//! What a program was started with, how long it lives and how it ends.
//!
//! | words | deed |
//! |---|---|
//! | `await-stop` | waits for the container's stop, prints its signal (0.2) and the minutes that are left |
//! | `chance` | prints ten numbers in the order that a HashMap has them |
//! | `clocks SECONDS` | prints the seconds since 1970, sleeps, prints how far both clocks have moved on |
//! | `env` | prints arguments, environment, working directory and /etc/hostname |
//! | `exit N` | ends with exit code N |
//! | `fail-until FILE N` | counts its runs in FILE; all before the Nth end with exit code 1 |
//! | `idle` | prints `idle`, then sleeps for ever |
//! | `sleep SECONDS` | sleeps, then prints `slept` |
//! | `tick MILLISECONDS` | prints `tick 1`, `tick 2` and so on, for ever |

use std::collections::HashSet;
use std::env;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::{Failure, Outcome};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    Some(match words {
        ["await-stop"] => await_stop(),
        ["chance"] => print_chance(),
        ["clocks", seconds] => clocks(seconds),
        ["env"] => print_environment(),
        ["exit", code] => exit(code),
        ["fail-until", file, count] => fail_until(file, count),
        ["idle"] => idle(),
        ["sleep", seconds] => sleep_for(seconds),
        ["tick", milliseconds] => tick(milliseconds),
        _ => return None,
    })
}

#[cfg(target_env = "p1")]
fn await_stop() -> Outcome {
    println!("waiting");
    loop {
        if let Some(grace) = wasmpod_guest::p1::stop::requested() {
            println!("stop, {} min", grace.as_secs().div_ceil(60));
            return Ok(());
        }
        sleep(Duration::from_millis(5));
    }
}

#[cfg(not(target_env = "p1"))]
fn await_stop() -> Outcome {
    println!("waiting");
    let request = wasmpod_guest::p2::stop::wait();
    println!("{}, {} min", request.signal, request.grace.as_secs().div_ceil(60));
    Ok(())
}

fn print_chance() -> Outcome {
    let numbers: HashSet<u32> = (0..10).collect();
    println!("{numbers:?}");
    Ok(())
}

fn clocks(seconds: &str) -> Outcome {
    let (wall, monotonic) = (SystemTime::now(), Instant::now());
    println!("{} s", wall.duration_since(SystemTime::UNIX_EPOCH)?.as_secs());
    sleep(Duration::try_from_secs_f64(seconds.parse()?)?);
    println!("{:?} and {:?} later", wall.elapsed()?, monotonic.elapsed());
    Ok(())
}

fn print_environment() -> Outcome {
    for (index, argument) in env::args().enumerate() {
        println!("argument {index}: {argument}");
    }
    let mut variables: Vec<(String, String)> = env::vars().collect();
    variables.sort();
    for (name, value) in variables {
        println!("{name}={value}");
    }
    match env::current_dir() {
        Ok(folder) => println!("working directory: {}", folder.display()),
        Err(error) => println!("working directory: {error}"),
    }
    match fs::read_to_string("/etc/hostname") {
        Ok(name) => println!("hostname: {}", name.trim_end()),
        Err(error) => println!("hostname: {error}"),
    }
    Ok(())
}

fn exit(code: &str) -> Outcome {
    std::process::exit(code.parse()?)
}

fn fail_until(file: &str, count: &str) -> Outcome {
    let count: u64 = count.parse()?;
    let before: u64 = match fs::read_to_string(file) {
        Ok(text) => text.parse()?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    let run = before + 1;
    fs::write(file, run.to_string())?;
    if run < count {
        return Err(Failure::from(format!("run {run} of {count} fails")));
    }
    println!("run {run} succeeds");
    Ok(())
}

fn idle() -> Outcome {
    println!("idle");
    loop {
        sleep(HOUR);
    }
}

fn sleep_for(seconds: &str) -> Outcome {
    sleep(Duration::try_from_secs_f64(seconds.parse()?)?);
    println!("slept");
    Ok(())
}

fn tick(milliseconds: &str) -> Outcome {
    let pause = Duration::from_millis(milliseconds.parse()?);
    for count in 1_u64.. {
        println!("tick {count}");
        sleep(pause);
    }
    Ok(())
}
