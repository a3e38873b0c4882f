//! HTTP 1.1, as much as a download needs.

use std::io::{self, BufRead as _, Read as _};

use super::network::reason;
use crate::fd::Fd;
use crate::io::Input;
use crate::sys;

/// So many times a server may send one elsewhere.
const MOST_REDIRECTIONS: usize = 10;

/// `http://host:port/path`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl Url {
    pub(super) fn read(text: &str) -> Result<Self, String> {
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
pub(super) struct Request {
    pub(super) method: String,
    pub(super) headers: Vec<String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) follows: bool,
    pub(super) patience: u32,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
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

/// Asks, and follows where it is sent.
///
/// # Errors
/// What went wrong, in words.
pub(super) fn ask(url: &Url, request: &Request) -> Result<Answer, String> {
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
pub(super) fn save(
    answer: &mut Answer,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
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
