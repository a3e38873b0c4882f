//! `/fs/`: the files of this container, from its root.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::http::{Body, Response, Status};
use crate::page::{Tab, escape, layout};

/// What a name in a link must not hold as it is.
const IN_A_LINK: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`');

/// Answers `/fs` and all below it.
pub(crate) fn answer(path: &str) -> Response {
    let inner = path.strip_prefix("/fs").expect("the router sends only these");
    let inner = if inner.is_empty() { "/" } else { inner };
    let outcome = fs::metadata(inner).and_then(|metadata| {
        if !metadata.is_dir() {
            return file(inner, metadata.len());
        }
        // Links in a listing are relative to it, so its address ends in a slash.
        if path.ends_with('/') {
            listing(inner)
        } else {
            Ok(Response::see_other(&format!("{}/", link(path))))
        }
    });
    outcome.unwrap_or_else(|error| problem(inner, &error))
}

fn link(path: &str) -> String {
    utf8_percent_encode(path, IN_A_LINK).to_string()
}

fn listing(inner: &str) -> io::Result<Response> {
    let mut entries: Vec<(bool, String, String)> = Vec::new();
    for entry in fs::read_dir(inner)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link that leads nowhere is still listed.
        let metadata = fs::metadata(entry.path()).or_else(|_| entry.metadata());
        let (is_dir, size) = match metadata {
            Ok(metadata) if metadata.is_dir() => (true, String::new()),
            Ok(metadata) => (false, metadata.len().to_string()),
            Err(error) => (false, error.to_string()),
        };
        entries.push((!is_dir, name, size));
    }
    entries.sort();
    let mut rows = String::new();
    if inner != "/" {
        rows += "<tr><td><a href=\"../\">..</a></td><td></td></tr>";
    }
    for (is_file, name, size) in entries {
        let slash = if is_file { "" } else { "/" };
        rows += &format!(
            "<tr><td><a href=\"./{}{slash}\">{}{slash}</a></td><td class=number>{}</td></tr>",
            escape(&link(&name)),
            escape(&name),
            escape(&size),
        );
    }
    let body = format!(
        "<section><h2><code>{}</code></h2><table><thead><tr><th>Name</th>\
         <th class=number>Bytes</th></tr></thead><tbody>{rows}</tbody></table></section>",
        escape(inner),
    );
    Ok(Response::html(Status::Ok, layout(Tab::Files, Tab::Files.title(), &body)))
}

fn file(inner: &str, length: u64) -> io::Result<Response> {
    let mut file = File::open(inner)?;
    let mut start = [0; 512];
    let count = file.read(&mut start)?;
    file.rewind()?;
    Ok(Response {
        status: Status::Ok,
        content_type: content_type(inner, &start[..count]),
        location: None,
        body: Body::File { file, length },
    })
}

/// By the name's ending where a browser shows such files itself, else by what the file begins with.
fn content_type(inner: &str, start: &[u8]) -> &'static str {
    match Path::new(inner).extension().and_then(|it| it.to_str()) {
        Some("gif") => "image/gif",
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ if start.contains(&0) => "application/octet-stream",
        _ => "text/plain; charset=utf-8",
    }
}

fn problem(inner: &str, error: &io::Error) -> Response {
    let status = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Status::NotFound,
        _ => Status::InternalServerError,
    };
    let body = format!(
        "<section><h2><code>{}</code></h2><p class=report>{}</p></section>",
        escape(inner),
        escape(&error.to_string()),
    );
    Response::html(status, layout(Tab::Files, Tab::Files.title(), &body))
}
