//! Who and where this is, and waiting.

use std::io::Write as _;
use std::time::Duration;

use super::{Call, Failure, Options, Outcome};

/// `sh`, `ash`, `bash`
pub(super) fn shell(call: &mut Call<'_>) -> Outcome {
    call.io.out.flush()?;
    let fds = [&call.io.input.fd, &call.io.out.fd, &call.io.err.fd].map(Clone::clone);
    Ok(crate::shell::main(call.words, call.env, fds))
}

/// `true`
pub(super) fn yes_code(_: &mut Call<'_>) -> Outcome {
    Ok(0)
}

/// `false`
pub(super) fn no(_: &mut Call<'_>) -> Outcome {
    Ok(1)
}

/// `clear`
pub(super) fn clear(call: &mut Call<'_>) -> Outcome {
    call.io.out.write_all(b"\x1b[H\x1b[2J\x1b[3J")?;
    Ok(0)
}

/// `env`
pub(super) fn env(call: &mut Call<'_>) -> Outcome {
    let mut env = call.env.to_vec();
    let mut rest = call.words[1..].iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-i" | "-" => env.clear(),
            "-u" => {
                let name =
                    rest.next().ok_or_else(|| Failure::Usage("-u needs a name".to_owned()))?;
                env.retain(|(known, _)| known != name);
            }
            word => match word.split_once('=') {
                Some((name, value)) => {
                    env.retain(|(known, _)| known != name);
                    env.push((name.to_owned(), value.to_owned()));
                }
                None => {
                    let command = [word.to_owned()].into_iter().chain(rest.cloned()).collect();
                    return super::run_command(call, command, env);
                }
            },
        }
    }
    for (name, value) in env {
        writeln!(call.io.out, "{name}={value}")?;
    }
    Ok(0)
}

/// `printenv`
pub(super) fn printenv(call: &mut Call<'_>) -> Outcome {
    let names = &call.words[1..];
    let mut code = 0;
    if names.is_empty() {
        for (name, value) in call.env {
            writeln!(call.io.out, "{name}={value}")?;
        }
    }
    for name in names {
        match call.env.iter().rev().find(|(known, _)| known == name) {
            Some((_, value)) => writeln!(call.io.out, "{value}")?,
            None => code = 1,
        }
    }
    Ok(code)
}

/// The name of the Pod.
fn host(call: &Call<'_>) -> String {
    let of_env = || {
        call.env.iter().rev().find(|(name, _)| name == "HOSTNAME").map(|(_, value)| value.clone())
    };
    let of_file = std::fs::read_to_string("/etc/hostname").ok().map(|text| text.trim().to_owned());
    of_file
        .filter(|name| !name.is_empty())
        .or_else(of_env)
        .unwrap_or_else(|| "localhost".to_owned())
}

/// `hostname`
pub(super) fn hostname(call: &mut Call<'_>) -> Outcome {
    let name = host(call);
    writeln!(call.io.out, "{name}")?;
    Ok(0)
}

/// `id`
pub(super) fn id(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "ungrG", &[])?;
    let text = match (options.has('u') || options.has('g') || options.has('G'), options.has('n')) {
        (false, _) => "uid=0(root) gid=0(root) groups=0(root)",
        (true, true) => "root",
        (true, false) => "0",
    };
    writeln!(call.io.out, "{text}")?;
    Ok(0)
}

/// `whoami`
pub(super) fn whoami(call: &mut Call<'_>) -> Outcome {
    writeln!(call.io.out, "root")?;
    Ok(0)
}

/// `uname`
pub(super) fn uname(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "asnrvmpio", &[("all", 'a')])?;
    let name = host(call);
    let all = options.has('a');
    let fields = [
        ('s', "WASI", options.last_of("asnrvmpio").is_none()),
        ('n', name.as_str(), false),
        ('r', "0.1", false),
        ('v', "wasmpod", false),
        ('m', "wasm32", false),
    ];
    let wanted =
        fields.iter().filter(|(letter, _, is_default)| all || *is_default || options.has(*letter));
    let words: Vec<&str> = wanted.map(|(_, text, _)| *text).collect();
    writeln!(call.io.out, "{}", words.join(" "))?;
    Ok(0)
}

/// `sleep`
pub(super) fn sleep(call: &mut Call<'_>) -> Outcome {
    let mut seconds = 0.0;
    for word in &call.words[1..] {
        seconds += duration(word)?;
    }
    if call.words.len() == 1 {
        return Err(Failure::Usage("a time is needed".to_owned()));
    }
    // A century is for ever, and no timer overflows by it.
    std::thread::sleep(Duration::from_secs_f64(seconds.min(3.0e9)));
    Ok(0)
}

/// Seconds of `1.5`, `2m`, `1h`, `infinity`.
pub(super) fn duration(word: &str) -> Result<f64, Failure> {
    let (digits, factor) = match word.chars().last() {
        Some('s') => (&word[..word.len() - 1], 1.0),
        Some('m') => (&word[..word.len() - 1], 60.0),
        Some('h') => (&word[..word.len() - 1], 3600.0),
        Some('d') => (&word[..word.len() - 1], 86400.0),
        _ => (word, 1.0),
    };
    let value = match digits {
        "inf" | "infinity" => Some(f64::MAX),
        digits => digits.parse::<f64>().ok().filter(|value| *value >= 0.0),
    };
    value
        .map(|value| value * factor)
        .ok_or_else(|| Failure::Usage(format!("{word:?} is not a time")))
}
