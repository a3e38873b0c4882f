//! Messages of HTTP, and their parts.

use std::net::TcpListener;
use std::process::ExitCode;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, Method, OutgoingBody, OutgoingRequest, Scheme};
use wasip2::io::streams::OutputStream;

use crate::{Hoard, keep};

/// A request, its body, and as much in that as it takes.
fn request(authority: &str) -> Result<(OutgoingRequest, OutgoingBody, OutputStream), String> {
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Post).map_err(|()| "the method")?;
    request.set_scheme(Some(&Scheme::Http)).map_err(|()| "the scheme")?;
    request.set_authority(Some(authority)).map_err(|()| "the authority")?;
    request.set_path_with_query(Some("/")).map_err(|()| "the path")?;
    let body = request.body().map_err(|()| "the body")?;
    let stream = body.write().map_err(|()| "its stream")?;
    Ok((request, body, stream))
}

fn fill(stream: &OutputStream) -> Result<(), String> {
    loop {
        let permit = stream.check_write().map_err(|error| error.to_string())?;
        if permit == 0 {
            return Ok(());
        }
        let bytes = vec![7; usize::try_from(permit).unwrap_or(1 << 20)];
        stream.write(&bytes).map_err(|error| error.to_string())?;
    }
}

pub(crate) fn bodies(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let hoard = Hoard::of(most, &mut kept, |_| {
        let begun = request("127.0.0.1:1")?;
        fill(&begun.2)?;
        Ok::<_, String>(begun)
    });
    keep(kept, hoard)
}

pub(crate) fn requests(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let mut accepted = Vec::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener of its own");
    let authority = listener.local_addr().expect("it is bound").to_string();
    let hoard = Hoard::of(most, &mut kept, |_| {
        let (request, body, stream) = request(&authority)?;
        let response = handle(request, None).map_err(|error| error.to_string())?;
        accepted.push(listener.accept().map_err(|error| error.to_string())?);
        // It is polled while this waits for the connection.
        fill(&stream)?;
        Ok::<_, String>((response, body, stream))
    });
    keep((listener, accepted, kept), hoard)
}

pub(crate) fn headers(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let hoard = Hoard::of(most, &mut kept, |_| {
        let fields = Fields::new();
        let value = vec![b'v'; 1000];
        // One more than there is room for ends the guest.
        for _ in 0..28 {
            fields.append("name", &value).map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(fields)
    });
    keep(kept, hoard)
}
