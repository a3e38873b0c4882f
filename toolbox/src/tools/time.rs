//! `date`, `time` and `timeout`

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::system::duration;
use super::{Call, Failure, Options, Outcome};
use crate::sys::{self, Place};

/// `date`
pub(super) fn date(call: &mut Call<'_>) -> Outcome {
    let long =
        [("utc", 'u'), ("date", 'd'), ("reference", 'r'), ("iso-8601", 'I'), ("rfc-3339", 'I')];
    let options = Options::read(call.words, "ud:r:IRs:", &long)?;
    if options.has('s') {
        return Err(Failure::Said("the clock cannot be set from a container".to_owned()));
    }
    let time = match (options.value('d'), options.value('r')) {
        (Some(text), _) => parse(text)?,
        (None, Some(path)) => {
            let modified = std::fs::metadata(crate::path::absolute(path))
                .and_then(|metadata| metadata.modified())?;
            zoned(modified)?
        }
        (None, None) => zoned(SystemTime::now())?,
    };
    let format = match options.operands.first().map(|word| word.strip_prefix('+')) {
        Some(Some(format)) => format,
        Some(None) => return Err(Failure::Usage("a format begins with +".to_owned())),
        None if options.has('I') => "%Y-%m-%d",
        None if options.has('R') => "%a, %d %b %Y %H:%M:%S %z",
        None => "%a %b %e %H:%M:%S %Z %Y",
    };
    // Nanoseconds have another letter there.
    let format = format.replace("%N", "%9f");
    let shown = jiff::fmt::strtime::format(&format, &time)
        .map_err(|error| Failure::Usage(format!("{format:?}: {error}")))?;
    writeln!(call.io.out, "{shown}")?;
    Ok(0)
}

fn zoned(time: SystemTime) -> Result<Zoned, Failure> {
    let time = Timestamp::try_from(time).map_err(|error| Failure::Said(error.to_string()))?;
    Ok(time.to_zoned(TimeZone::UTC))
}

/// `@seconds`, `now`, `2024-05-06`, `2024-05-06 07:08:09`, `2024-05-06T07:08:09Z`
fn parse(text: &str) -> Result<Zoned, Failure> {
    let wrong = || {
        Failure::Usage(format!("{text:?} is no time, as 2024-05-06 07:08:09 and @1714979289 are"))
    };
    if text == "now" {
        return zoned(SystemTime::now());
    }
    if let Some(seconds) = text.strip_prefix('@') {
        let time = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        return time.map(|time| time.to_zoned(TimeZone::UTC)).ok_or_else(wrong);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.to_zoned(TimeZone::UTC));
    }
    let time = text.trim().parse::<jiff::civil::DateTime>().map_err(|_| wrong())?;
    time.to_zoned(TimeZone::UTC).map_err(|_| wrong())
}

/// `time`
pub(super) fn time(call: &mut Call<'_>) -> Outcome {
    let words = call.words[1..].to_vec();
    if words.is_empty() {
        return Err(Failure::Usage("a command is needed".to_owned()));
    }
    let begun = Instant::now();
    let env = call.env.to_vec();
    let code = super::run_command(call, words, env)?;
    let seconds = begun.elapsed().as_secs_f64();
    let text = format!("real\t{:.0}m {:.2}s\n", (seconds / 60.0).floor(), seconds % 60.0);
    call.io.err.write_all(text.as_bytes())?;
    Ok(code)
}

/// `timeout`
pub(super) fn timeout(call: &mut Call<'_>) -> Outcome {
    // Options of the command are its own.
    let mut at = 1;
    while call.words.get(at).is_some_and(|word| word.starts_with('-')) {
        at += if matches!(call.words[at].as_str(), "-k" | "-s") { 2 } else { 1 };
    }
    let [limit, command @ ..] = call.words.get(at..).unwrap_or_default() else {
        return Err(Failure::Usage("a time and a command are needed".to_owned()));
    };
    if command.is_empty() {
        return Err(Failure::Usage("a command is needed".to_owned()));
    }
    let limit = Duration::from_secs_f64(duration(limit)?.min(3.0e9));
    call.io.out.flush()?;
    let fds = [&call.io.input.fd, &call.io.out.fd, &call.io.err.fd].map(Clone::clone);
    let keep: Vec<_> = fds.iter().filter_map(crate::fd::Fd::handle).collect();
    let (command, env) = (command.to_vec(), call.env.to_vec());
    let job = Box::new(move || {
        sys::set_title(&command);
        for fd in &fds {
            if fd.reopen().is_err() {
                return 126;
            }
        }
        crate::shell::run_words(command, env, fds)
    });
    let pid = sys::fork(&keep, Place::Foreground, job)?;
    let begun = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(code) = sys::try_wait(pid)? {
            return Ok(code);
        }
        if begun.elapsed() >= limit {
            let _ = sys::kill(pid, 15);
            let _ = sys::wait(pid);
            return Ok(124);
        }
        std::thread::sleep(pause.min(limit.saturating_sub(begun.elapsed())));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}
