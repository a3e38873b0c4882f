//! One request by `wasi:http/client`.

use wasip3::http::client;
use wasip3::http::types::{Fields, Request, Response, Scheme};
use wasip3::wit_future;

use crate::stdio::{print, print_bytes};
use crate::{Outcome, text};

pub(crate) async fn get(url: &str) -> Outcome {
    let rest = url.strip_prefix("http://").ok_or("not an http:// URL")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));

    let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    let refused = |()| format!("{url} makes no request");
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(refused)?;

    let response = client::send(request).await.map_err(text)?;
    print(&format!("{}\n", response.get_status_code())).await?;
    let (_consumed, outcome) = wit_future::new(|| Ok(()));
    let (body, trailers) = Response::consume_body(response, outcome);
    let body = body.collect().await;
    trailers.await.map_err(text)?;
    print_bytes(body).await
}
