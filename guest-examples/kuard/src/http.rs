//! Requests and responses of HTTP/1.1, as far as a demo needs them: one request a connection, bodies
//! with a content-length.

use std::fs::File;
use std::net::SocketAddr;

use percent_encoding::percent_decode_str;

const MAX_HEAD: usize = 32 * 1024;
const MAX_BODY: usize = 64 * 1024;
const MAX_HEADERS: usize = 100;

pub(crate) struct Request {
    pub(crate) method: String,
    /// As the client sent it: path and query, still encoded.
    pub(crate) target: String,
    /// Decoded, without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
}

impl Request {
    /// A field of the query or, failing that, of a form in the body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        [self.query.as_bytes(), &self.body].into_iter().find_map(|encoded| {
            form_urlencoded::parse(encoded)
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into())
        })
    }
}

/// What the bytes so far amount to.
pub(crate) enum Parsed {
    Incomplete,
    Bad(Response),
    Request(Request),
}

pub(crate) fn parse(received: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let head_length = match head.parse(received) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if received.len() <= MAX_HEAD => return Parsed::Incomplete,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return bad(Status::HeadTooLarge, "the head of the request is too large");
        }
        Err(error) => return bad(Status::BadRequest, &format!("not HTTP/1.1: {error}")),
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let header = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.as_str())
    };
    if header("transfer-encoding").is_some() {
        return bad(Status::LengthRequired, "send the body with a content-length");
    }
    let length = match header("content-length").map(|text| text.trim().parse::<usize>()) {
        None => 0,
        Some(Ok(length)) if length <= MAX_BODY => length,
        Some(Ok(_)) => return bad(Status::BodyTooLarge, "the body is larger than 64 KiB"),
        Some(Err(_)) => return bad(Status::BadRequest, "content-length is not a number"),
    };
    let Some(body) = received[head_length..].get(..length) else {
        return Parsed::Incomplete;
    };

    let target = head.path.unwrap_or("/").to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Parsed::Request(Request {
        method: head.method.unwrap_or("GET").to_owned(),
        path: percent_decode_str(path).decode_utf8_lossy().into_owned(),
        query: query.to_owned(),
        body: body.to_vec(),
        peer: None,
        local: None,
        target,
        headers,
    })
}

fn bad(status: Status, message: &str) -> Parsed {
    Parsed::Bad(Response::text(status, &format!("{message}\n")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    SeeOther,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    LengthRequired,
    BodyTooLarge,
    HeadTooLarge,
    InternalServerError,
    InsufficientStorage,
}

impl Status {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::SeeOther => 303,
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::LengthRequired => 411,
            Self::BodyTooLarge => 413,
            Self::HeadTooLarge => 431,
            Self::InternalServerError => 500,
            Self::InsufficientStorage => 507,
        }
    }

    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::SeeOther => "See Other",
            Self::BadRequest => "Bad Request",
            Self::NotFound => "Not Found",
            Self::MethodNotAllowed => "Method Not Allowed",
            Self::RequestTimeout => "Request Timeout",
            Self::LengthRequired => "Length Required",
            Self::BodyTooLarge => "Content Too Large",
            Self::HeadTooLarge => "Request Header Fields Too Large",
            Self::InternalServerError => "Internal Server Error",
            Self::InsufficientStorage => "Insufficient Storage",
        }
    }
}

pub(crate) enum Body {
    Bytes(Vec<u8>),
    File { file: File, length: u64 },
}

pub(crate) struct Response {
    pub(crate) status: Status,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    pub(crate) body: Body,
}

impl Response {
    pub(crate) fn text(status: Status, text: &str) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    pub(crate) fn html(status: Status, page: String) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", page.into_bytes())
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::bytes(Status::Ok, "application/json", format!("{value:#}\n").into_bytes())
    }

    /// The browser is to `GET` another page: after a form, so that a reload does not send it again.
    pub(crate) fn see_other(location: &str) -> Self {
        let mut response = Self::text(Status::SeeOther, "");
        response.location = Some(location.to_owned());
        response
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::text(Status::MethodNotAllowed, "this path does not take this method\n")
    }

    pub(crate) fn request_timeout() -> Self {
        Self::text(Status::RequestTimeout, "the rest of the request did not come in time\n")
    }

    fn bytes(status: Status, content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { status, content_type, location: None, body: Body::Bytes(bytes) }
    }

    /// The status line and the headers, with the empty line that ends them.
    pub(crate) fn head(&self) -> Vec<u8> {
        let length = match &self.body {
            Body::Bytes(bytes) => bytes.len().to_string(),
            Body::File { length, .. } => length.to_string(),
        };
        let mut head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {length}\r\n\
             cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n",
            self.status.code(),
            self.status.phrase(),
            self.content_type,
        );
        // Paths reach this header: a line break in one must not begin another header.
        if let Some(location) = self.location.as_deref().filter(|it| !it.contains(['\r', '\n'])) {
            head += &format!("location: {location}\r\n");
        }
        head += "\r\n";
        head.into_bytes()
    }
}
