//! `httpGet`: one GET, its redirects followed as far as they stay with the host.

use std::pin::pin;

use bytes::Bytes;
use futures::future::{self, select};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_util::either::Either;
use url::Url;

use super::dial::dial;
use super::handler::HttpGet;
use super::{OUTPUT, insecure};
use crate::error::chain;
use crate::lifecycle::ProbeAnswer;
use crate::sandbox::network::Endpoint;

/// As Go's HTTP client.
const REDIRECTS: usize = 10;

/// Asks and says what the answer means.
pub(super) async fn get(endpoint: &Endpoint, get: &HttpGet) -> ProbeAnswer {
    let Answer { status, body, .. } = match send(endpoint, get).await {
        Ok(answer) => answer,
        Err(problem) => return ProbeAnswer::Failure(problem),
    };
    if status.is_success() {
        ProbeAnswer::Success
    } else if status.is_redirection() {
        ProbeAnswer::Warning(format!("Probe terminated redirects, Response body: {body}"))
    } else {
        ProbeAnswer::Failure(format!("HTTP probe failed with statuscode: {}", status.as_u16()))
    }
}

/// An answer.
pub(super) struct Answer {
    status: StatusCode,
    location: Option<HeaderValue>,
    /// Its beginning.
    body: String,
}

/// Asks, and follows redirects to the same host.
///
/// # Errors
/// In the words of Go's HTTP client.
pub(super) async fn send(endpoint: &Endpoint, get: &HttpGet) -> Result<Answer, String> {
    let shown = get.url();
    let failed = |problem: String| format!("Get {shown:?}: {problem}");
    let mut url = Url::parse(&shown).map_err(|error| failed(error.to_string()))?;
    for _ in 0..=REDIRECTS {
        let answer = exchange(endpoint, get, &url).await.map_err(failed)?;
        let location = answer.location.as_ref().filter(|_| is_followed(answer.status));
        let next = location
            .and_then(|location| url.join(location.to_str().ok()?).ok())
            .filter(|next| next.host() == url.host() && matches!(next.scheme(), "http" | "https"));
        match next {
            Some(next) => url = next,
            None => return Ok(answer),
        }
    }
    Err(failed(format!("stopped after {REDIRECTS} redirects")))
}

fn is_followed(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

async fn exchange(endpoint: &Endpoint, get: &HttpGet, url: &Url) -> Result<Answer, String> {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or(get.target.port);
    let stream = dial(endpoint, bare, port).await?;
    let stream = match url.scheme() {
        "https" => {
            Either::Left(insecure::connect(bare, stream).await.map_err(|error| chain(&error))?)
        }
        _ => Either::Right(stream),
    };
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| chain(&error))?;
    let request = request(get, url)?;
    let talk = async {
        let response = sender.send_request(request).await?;
        let (status, location) =
            (response.status(), response.headers().get(header::LOCATION).cloned());
        let body = read(response.into_body()).await?;
        Ok(Answer { status, location, body })
    };
    beside(connection, talk).await.map_err(|error: hyper::Error| chain(&error))
}

/// Lives a connection as long as somebody talks over it.
pub(super) async fn beside<Output>(
    connection: impl Future,
    talk: impl Future<Output = Output>,
) -> Output {
    match select(pin!(talk), pin!(connection)).await {
        future::Either::Left((answer, _)) => answer,
        // Nothing more comes: what has come is still to be read.
        future::Either::Right((_, talk)) => talk.await,
    }
}

fn request(get: &HttpGet, url: &Url) -> Result<Request<Empty<Bytes>>, String> {
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut request = Request::get(target).body(Empty::new()).map_err(|error| error.to_string())?;
    *request.headers_mut() = get.headers.clone();
    let headers = request.headers_mut();
    if !headers.contains_key(header::HOST) {
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|e| e.to_string())?);
    }
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

/// The beginning of a body; the rest is not waited for.
async fn read(mut body: Incoming) -> hyper::Result<String> {
    let mut bytes = Vec::new();
    while bytes.len() < OUTPUT {
        match body.frame().await {
            Some(Ok(frame)) => bytes.extend(frame.into_data().unwrap_or_default()),
            Some(Err(error)) => return Err(error),
            None => break,
        }
    }
    bytes.truncate(OUTPUT);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
