//! The front page: this request, and who answered it.

use std::env;
use std::net::{SocketAddr, ToSocketAddrs as _};

use crate::http::{Request, Response, Status};
use crate::page::{Tab, layout, table};

const TARGET: &str = if cfg!(target_env = "p1") { "wasm32-wasip1" } else { "wasm32-wasip2" };

pub(crate) fn page(request: &Request) -> Response {
    let server = [
        ("Hostname", hostname()),
        ("Addresses", addresses()),
        ("Answered at", request.local.as_ref().map(SocketAddr::to_string).unwrap_or_default()),
        ("Version", format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))),
        ("Compiled for", String::from(TARGET)),
    ];
    let client = [
        ("Client", request.peer.as_ref().map(SocketAddr::to_string).unwrap_or_default()),
        ("Method", request.method.clone()),
        ("Target", request.target.clone()),
    ];
    let body = format!(
        "<section><h2>Server</h2>{}</section><section><h2>Request</h2>{}</section>\
         <section><h2>Request headers</h2>{}</section>",
        table(["", ""], &server),
        table(["", ""], &client),
        table(["Header", "Value"], &request.headers),
    );
    Response::html(Status::Ok, layout(Tab::Request, "Request details", &body))
}

fn hostname() -> String {
    env::var("HOSTNAME").unwrap_or_else(|_| String::from("(no HOSTNAME is set)"))
}

/// WASI lists no interfaces; the host's own name leads to its addresses.
fn addresses() -> String {
    let Ok(hostname) = env::var("HOSTNAME") else {
        return String::from("(unknown)");
    };
    match (hostname.as_str(), 0).to_socket_addrs() {
        Ok(found) => {
            let mut found: Vec<String> = found.map(|it| it.ip().to_string()).collect();
            found.dedup();
            found.join(", ")
        }
        Err(error) => format!("(looking up {hostname}: {error})"),
    }
}
