//! A request of the handler's own.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, OutgoingBody, OutgoingRequest, ResponseOutparam, Scheme,
};

use crate::{answer, begin, copy};

/// Passes on the answer of `url`, or says with status 502 which error there was.
pub(crate) fn get(url: &str, outparam: ResponseOutparam) {
    match send(url) {
        Ok(response) => {
            let incoming = response.consume().expect("the body is taken once");
            let input = incoming.stream().expect("the stream is taken once");
            let (output, body) = begin(outparam, response.status(), None);
            if copy(&input, &output).is_err() {
                return;
            }
            drop(output);
            let _ = OutgoingBody::finish(body, None);
        }
        Err(error) => answer(outparam, 502, &format!("{error:?}\n")),
    }
}

fn send(url: &str) -> Result<IncomingResponse, ErrorCode> {
    let (scheme, rest) = match url.strip_prefix("https://") {
        Some(rest) => (Scheme::Https, rest),
        None => (Scheme::Http, url.strip_prefix("http://").unwrap_or(url)),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority)).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let path = format!("/{path}");
    request.set_path_with_query(Some(&path)).map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    let body = request.body().expect("the body is taken once");
    let response = handle(request, None)?;
    OutgoingBody::finish(body, None)?;
    response.subscribe().block();
    response.get().expect("it is ready").expect("it is taken once")
}
