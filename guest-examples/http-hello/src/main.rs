//! An HTTP handler. The host owns the socket and calls this function once for each request.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | a greeting |
//! | `POST /echo` | the body that came, as it came |
//! | `GET /headers` | the request's headers, one a line |

use std::env;
use std::fmt::Write as _;

use wstd::http::{Body, Error, Method, Request, Response, StatusCode};

#[wstd::http_server]
async fn main(request: Request<Body>) -> Result<Response<Body>, Error> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => text(StatusCode::OK, greeting()),
        (&Method::POST, "/echo") => Ok(Response::new(request.into_body())),
        (&Method::GET, "/headers") => text(StatusCode::OK, headers(&request)),
        (_, path) => text(StatusCode::NOT_FOUND, format!("nothing is served at {path}\n")),
    }
}

fn greeting() -> String {
    let greeting = env::var("GREETING").unwrap_or_else(|_| String::from("Hello"));
    let host = env::var("HOSTNAME").unwrap_or_else(|_| String::from("an unnamed host"));
    format!("{greeting} from {host}\n")
}

fn headers(request: &Request<Body>) -> String {
    let mut lines = String::new();
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        writeln!(lines, "{name}: {value}").expect("a String takes every line");
    }
    lines
}

fn text(status: StatusCode, body: String) -> Result<Response<Body>, Error> {
    let response = Response::builder()
        .status(status)
        .header("content-type", "text/plain; charset=utf-8")
        .body(body.into())?;
    Ok(response)
}
