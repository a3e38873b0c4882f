//! Name lookup, as programs in this container see it.

use std::net::ToSocketAddrs as _;

use serde_json::json;

use crate::http::{Request, Response, Status};
use crate::page::{Tab, escape, layout};
use crate::router::bad_request;

pub(crate) fn page(request: &Request) -> Response {
    let name = request.field("name").unwrap_or_default();
    let found = if name.is_empty() {
        String::new()
    } else {
        format!("<section><h2>Found</h2><pre>{}</pre></section>", escape(&look_up(&name)))
    };
    let body = format!(
        "<section><h2>Look up</h2><form class=row><label>Name \
         <input name=name value=\"{}\" required autofocus></label><button>Look up</button></form>\
         </section>{found}",
        escape(&name),
    );
    Response::html(Status::Ok, layout(Tab::Dns, Tab::Dns.title(), &body))
}

/// `POST /dns/api` with `{"type": "A", "name": "localhost"}`.
pub(crate) fn api(request: &Request) -> Response {
    let body: Option<serde_json::Value> = serde_json::from_slice(&request.body).ok();
    match body.as_ref().and_then(|body| body.get("name")?.as_str()) {
        Some(name) => Response::json(&json!({ "result": look_up(name) })),
        None => bad_request("the body must be {\"type\": \"A\", \"name\": NAME}"),
    }
}

/// The addresses, one a line, or the error.
fn look_up(name: &str) -> String {
    match (name, 0).to_socket_addrs() {
        Ok(addresses) => {
            let mut lines: Vec<String> = addresses.map(|it| it.ip().to_string()).collect();
            lines.dedup();
            lines.join("\n")
        }
        Err(error) => format!("{name}: {error}"),
    }
}
