//! The Pod's network: `nslookup`, `nc`, `wget`, `curl`.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::time::Duration;

use super::{Call, Failure, Options, Outcome};
use crate::fd::{Fd, Mode};
use crate::io::Input;
use crate::sys::{self, Place};

/// How long a connection may take to come about unless the command says.
const PATIENCE: u32 = 30_000;

/// So many times a server may send one elsewhere.
const MOST_REDIRECTIONS: usize = 10;

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
fn reason(error: &io::Error) -> String {
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

/// `http://host:port/path`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Url {
    host: String,
    port: u16,
    path: String,
}

impl Url {
    fn read(text: &str) -> Result<Self, String> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some(("https", _)) => return Err("https is not there: only plain http".to_owned()),
            Some((scheme, _)) => return Err(format!("{scheme} is not there: only plain http")),
            None => text,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (place, path) = rest.split_at(at);
        let place = place.rsplit('@').next().unwrap_or(place);
        // The port of an IPv6 address comes behind the bracket.
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, port.parse().map_err(|_| format!("{port:?} is not a port"))?)
            }
            _ => (place, 80),
        };
        if host.is_empty() {
            return Err(format!("{text:?} has no host"));
        }
        let path = match path {
            "" => "/".to_owned(),
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        };
        Ok(Self { host: host.to_owned(), port, path })
    }

    /// Where a `Location` leads from here.
    fn join(&self, location: &str) -> Result<Self, String> {
        if location.contains("://") {
            return Self::read(location);
        }
        let path = match location.starts_with('/') {
            true => location.to_owned(),
            false => {
                let folder = self.path.split('?').next().unwrap_or_default();
                let folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{location}")
            }
        };
        Ok(Self { path, ..self.clone() })
    }
}

/// What is asked.
struct Request {
    method: String,
    headers: Vec<String>,
    body: Option<Vec<u8>>,
    follows: bool,
    patience: u32,
}

struct Answer {
    status: u16,
    head: String,
    length: Option<u64>,
    chunked: bool,
    body: Input,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

fn ask(url: &Url, request: &Request) -> Result<Answer, String> {
    let mut url = url.clone();
    for _ in 0..=MOST_REDIRECTIONS {
        let answer = ask_once(&url, request)?;
        let location = answer.header("location").map(str::to_owned);
        match location {
            Some(location) if request.follows && (300..400).contains(&answer.status) => {
                url = url.join(&location)?;
            }
            _ => return Ok(answer),
        }
    }
    Err("it is sent elsewhere again and again".to_owned())
}

fn ask_once(url: &Url, request: &Request) -> Result<Answer, String> {
    let Url { host, port, path } = url;
    let failed = |error: io::Error| format!("{host}:{port}: {}", reason(&error));
    let connection = Fd::owning(sys::connect(host, *port, request.patience).map_err(failed)?);
    let named = if *port == 80 { host.clone() } else { format!("{host}:{port}") };
    let mut head =
        format!("{} {path} HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n", request.method);
    let has = |name: &str| {
        request.headers.iter().any(|header| header.to_lowercase().starts_with(&format!("{name}:")))
    };
    if !has("user-agent") {
        head += "User-Agent: wasmpod-toolbox\r\n";
    }
    if !has("accept") {
        head += "Accept: */*\r\n";
    }
    if let Some(body) = &request.body {
        if !has("content-type") {
            head += "Content-Type: application/x-www-form-urlencoded\r\n";
        }
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    for header in &request.headers {
        head += &format!("{header}\r\n");
    }
    head += "\r\n";
    connection.write(head.as_bytes()).map_err(failed)?;
    if let Some(body) = &request.body {
        connection.write(body).map_err(failed)?;
    }
    let mut input = Input::new(connection);
    loop {
        let head = read_head(&mut input).map_err(failed)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status
            .filter(|_| head.starts_with("HTTP/"))
            .ok_or("what answers there is no HTTP server")?;
        // An interim answer is followed by the real one.
        if (100..200).contains(&status) {
            continue;
        }
        let mut answer = Answer { status, head, length: None, chunked: false, body: input };
        answer.length = answer.header("content-length").and_then(|length| length.parse().ok());
        answer.chunked =
            answer.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked"));
        if request.method == "HEAD" || matches!(status, 204 | 304) {
            (answer.length, answer.chunked) = (Some(0), false);
        }
        return Ok(answer);
    }
}

fn read_head(input: &mut Input) -> io::Result<String> {
    const MOST: usize = 64 << 10;
    let mut head = Vec::new();
    while head.len() < MOST {
        let start = head.len();
        if input.read_until(b'\n', &mut head)? == 0 {
            break;
        }
        if matches!(&head[start..], b"\r\n" | b"\n") && start > 0 {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Writes the body; an error when it ends too early.
fn save(answer: &mut Answer, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let early = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut some = |input: &mut Input, most: u64| -> io::Result<u64> {
        let bytes = input.fill_buf()?;
        let length = bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX));
        write(&bytes[..length])?;
        input.consume(length);
        Ok(length as u64)
    };
    if answer.chunked {
        loop {
            let mut line = String::new();
            answer.body.by_ref().take(1024).read_line(&mut line)?;
            let size = line.trim().split(';').next().unwrap_or_default();
            let mut left = u64::from_str_radix(size, 16).map_err(|_| early())?;
            if left == 0 {
                return Ok(());
            }
            while left > 0 {
                match some(&mut answer.body, left)? {
                    0 => return Err(early()),
                    length => left -= length,
                }
            }
            answer.body.by_ref().take(2).read_line(&mut line)?;
        }
    }
    let mut left = answer.length.unwrap_or(u64::MAX);
    while left > 0 {
        match some(&mut answer.body, left)? {
            0 if answer.length.is_some() => return Err(early()),
            0 => return Ok(()),
            length => left -= length,
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let of = |text: &str| Url::read(text).map(|url| (url.host, url.port, url.path));
        let url = |host: &str, port, path: &str| Ok((host.to_owned(), port, path.to_owned()));
        assert_eq!(of("http://web"), url("web", 80, "/"));
        assert_eq!(of("web:8080/a?b#c"), url("web", 8080, "/a?b"));
        assert_eq!(of("http://user@web?x"), url("web", 80, "/?x"));
        assert_eq!(of("http://[::1]:81/"), url("[::1]", 81, "/"));
        assert_eq!(of("http://[::1]/"), url("[::1]", 80, "/"));
        for wrong in ["https://web", "ftp://web", "http://", "http://web:x/"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let base = Url::read("http://web/a/b?c").unwrap();
        assert_eq!(base.join("d").unwrap().path, "/a/d");
        assert_eq!(base.join("/d").unwrap().path, "/d");
        assert_eq!(base.join("http://other/d").unwrap().host, "other");
    }
}
