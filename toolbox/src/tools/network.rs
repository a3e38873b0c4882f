//! The Pod's network: `nslookup`, `nc`, `wget`, `curl`.

use std::io::{self, Write as _};
use std::time::Duration;

use super::http::{Request, Url, ask, save};
use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::sys::{self, Place};

/// How long a connection may take to come about unless the command says.
const PATIENCE: u32 = 30_000;

/// `nslookup`, `host`
pub(super) fn nslookup(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "t:", &[])?;
    let Some(name) = options.operands.first() else {
        return Err(Failure::Usage("a name is needed".to_owned()));
    };
    match sys::resolve(name) {
        Ok(addresses) => {
            writeln!(call.io.out, "Name:\t{name}")?;
            for address in addresses {
                writeln!(call.io.out, "Address: {address}")?;
            }
            Ok(0)
        }
        Err(error) => {
            call.say(format!("can't resolve {name:?}: {}", reason(&error)));
            Ok(1)
        }
    }
}

/// A network's errors have other words than a file system's.
pub(super) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such name".to_owned(),
        io::ErrorKind::PermissionDenied => "the Pod may not go there".to_owned(),
        io::ErrorKind::WouldBlock => "nobody answers for names".to_owned(),
        _ => crate::problem(error),
    }
}

/// `nc`
pub(super) fn nc(call: &mut Call<'_>) -> Outcome {
    let options = Options::read(call.words, "zvw:nlup:", &[])?;
    if options.last_of("lu").is_some() {
        return Err(Failure::Said("it only connects, by TCP: -l and -u are not there".to_owned()));
    }
    let [name, port] = &options.operands[..] else {
        return Err(Failure::Usage("a host and a port are needed".to_owned()));
    };
    let port: u16 = port.parse().map_err(|_| Failure::Usage(format!("{port:?} is not a port")))?;
    let seconds = options.number('w')?.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    let patience = seconds.map_or(PATIENCE, |seconds| seconds.saturating_mul(1000));
    let connection = match sys::connect(name, port, patience) {
        Ok(handle) => Fd::owning(handle),
        Err(error) => {
            call.say(format!("{name} ({port}): {}", reason(&error)));
            return Ok(1);
        }
    };
    if options.has('v') {
        call.io.complain("nc", format!("{name} ({port}) open"));
    }
    if options.has('z') {
        return Ok(0);
    }
    talk(call, &connection)
}

/// What is read goes there, what comes from there is written.
fn talk(call: &mut Call<'_>, connection: &Fd) -> Outcome {
    let (input, there) = (call.io.input.fd.clone(), connection.clone());
    let keep: Vec<_> = [&input, &there].into_iter().filter_map(Fd::handle).collect();
    input.note_position();
    let sender = sys::fork(
        &keep,
        Place::Foreground,
        Box::new(move || {
            if input.reopen().is_err() {
                return 1;
            }
            let mut buffer = vec![0; 16 << 10];
            while let Ok(length @ 1..) = input.read(&mut buffer) {
                if there.write(&buffer[..length]).is_err() {
                    return 1;
                }
            }
            if let Some(handle) = there.handle() {
                sys::shutdown(handle);
            }
            0
        }),
    )?;
    let mut input = Input::new(connection.clone());
    let copied = super::texts::copy(&mut input, call);
    // The other side has said its last word.
    let _ = sys::kill(sender, 15);
    let _ = sys::wait(sender);
    copied.map(|()| 0).map_err(Failure::from)
}

/// `wget`
pub(super) fn wget(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("output-document", 'O'),
        ("quiet", 'q'),
        ("timeout", 'T'),
        ("spider", 's'),
        ("header", 'H'),
        ("post-data", 'd'),
        ("server-response", 'S'),
    ];
    let options = Options::read(call.words, "O:qT:sH:d:ScP:t:", &long)?;
    let Some(text) = options.operands.first() else {
        return Err(Failure::Usage("a URL is needed".to_owned()));
    };
    let url = Url::read(text).map_err(Failure::Said)?;
    let body = options.value('d').map(|text| text.as_bytes().to_vec());
    let request = Request {
        method: if body.is_some() {
            "POST"
        } else if options.has('s') {
            "HEAD"
        } else {
            "GET"
        }
        .to_owned(),
        headers: options.values('H').map(str::to_owned).collect(),
        body,
        follows: true,
        patience: patience(&options, 'T')?,
    };
    let mut answer = ask(&url, &request).map_err(Failure::Said)?;
    if options.has('S') {
        call.io.err.write_all(answer.head.as_bytes())?;
    }
    if answer.status >= 400 {
        let line = answer.head.lines().next().unwrap_or_default().to_owned();
        return Err(Failure::Said(format!("server returned error: {line}")));
    }
    if options.has('s') {
        return Ok(0);
    }
    let name = crate::base_name(url.path.split('?').next().unwrap_or_default());
    let path =
        options.value('O').unwrap_or(if name.is_empty() { "index.html" } else { name }).to_owned();
    if path == "-" {
        save(&mut answer, |bytes| call.io.out.write_all(bytes))?;
        return Ok(0);
    }
    let file = Fd::open(&path, Mode::Write)
        .map_err(|error| Failure::Said(format!("{path}: {}", crate::problem(&error))))?;
    save(&mut answer, |bytes| file.write(bytes))?;
    if !options.has('q') {
        call.io.complain("wget", format!("'{path}' saved"));
    }
    Ok(0)
}

fn patience(options: &Options, letter: char) -> Result<u32, Failure> {
    let seconds = options.value(letter).map(super::system::duration).transpose()?;
    let limit = |seconds: f64| {
        u32::try_from(Duration::from_secs_f64(seconds.min(1e6)).as_millis()).unwrap_or(u32::MAX)
    };
    Ok(seconds.map_or(PATIENCE, limit))
}

/// `curl`
pub(super) fn curl(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("output", 'o'),
        ("silent", 's'),
        ("show-error", 'S'),
        ("include", 'i'),
        ("head", 'I'),
        ("request", 'X'),
        ("header", 'H'),
        ("data", 'd'),
        ("fail", 'f'),
        ("location", 'L'),
        ("max-time", 'm'),
        ("write-out", 'w'),
        ("verbose", 'v'),
        ("connect-timeout", 'm'),
        ("data-raw", 'd'),
    ];
    let options = Options::read(call.words, "o:sSiIX:H:d:fLm:w:vkA:", &long)?;
    let Some(text) = options.operands.first() else {
        return Err(Failure::Usage("a URL is needed".to_owned()));
    };
    let url = Url::read(text).map_err(Failure::Said)?;
    let data: Vec<&str> = options.values('d').collect();
    let body = (!data.is_empty()).then(|| data.join("&").into_bytes());
    let method = match options.value('X') {
        Some(method) => method,
        None if options.has('I') => "HEAD",
        None if body.is_some() => "POST",
        None => "GET",
    };
    let mut headers: Vec<String> = options.values('H').map(str::to_owned).collect();
    headers.extend(options.value('A').map(|agent| format!("User-Agent: {agent}")));
    let request = Request {
        method: method.to_owned(),
        headers,
        body,
        follows: options.has('L'),
        patience: patience(&options, 'm')?,
    };
    let mut answer = match ask(&url, &request) {
        Ok(answer) => answer,
        Err(problem) => {
            if !options.has('s') || options.has('S') {
                call.say(problem);
            }
            return Ok(7);
        }
    };
    let mut code = 0;
    if options.has('f') && answer.status >= 400 {
        if !options.has('s') || options.has('S') {
            call.say(format!("The requested URL returned error: {}", answer.status));
        }
        code = 22;
    } else {
        let file = options.value('o').map(|path| Fd::open(path, Mode::Write)).transpose()?;
        let mut write = |bytes: &[u8]| match &file {
            Some(file) => file.write(bytes),
            None => call.io.out.write_all(bytes),
        };
        if options.last_of("iI").is_some() {
            write(answer.head.as_bytes())?;
        }
        save(&mut answer, write)?;
    }
    if let Some(format) = options.value('w') {
        let text = format.replace("%{http_code}", &answer.status.to_string());
        call.io.out.write_all(&crate::text::unescape(&text, crate::text::Zero::Octal).bytes)?;
    }
    Ok(code)
}
