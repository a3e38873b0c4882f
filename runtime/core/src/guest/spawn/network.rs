//! Connections and names for the toolbox, which has no sockets of WASI 0.2.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmtime_wasi::p1::types::Errno;

use super::end::End;
use crate::sandbox::network::Endpoint;
use crate::sandbox::wasi::p1::errno;

/// Connects to the first address of `name` that answers, `within` a time for all of them.
///
/// # Errors
/// What the last one said; `timedout` when the time is over.
pub(super) async fn connect(
    endpoint: &Endpoint,
    name: &str,
    port: u16,
    within: Duration,
) -> Result<End, Errno> {
    let deadline = Instant::now() + within;
    let late = |_| Errno::Timedout;
    let addresses = timeout_at(deadline, addresses(endpoint, name)).await.map_err(late)??;
    let mut problem = Errno::Noent;
    for address in addresses {
        let connecting = endpoint.connect(SocketAddr::new(address, port));
        match timeout_at(deadline, connecting).await.map_err(late)? {
            Ok(stream) => return Ok(End::Connection(Arc::new(Mutex::new(stream)))),
            Err(error) => problem = errno(error),
        }
    }
    Err(problem)
}

/// The addresses of `name`, a line each.
///
/// # Errors
/// `noent` for a name that nobody knows.
pub(super) async fn resolve(endpoint: &Endpoint, name: &str) -> Result<String, Errno> {
    let addresses = addresses(endpoint, name).await?;
    Ok(addresses.iter().map(|address| format!("{address}\n")).collect())
}

async fn addresses(endpoint: &Endpoint, name: &str) -> Result<Vec<IpAddr>, Errno> {
    if let Ok(address) = name.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(vec![address]);
    }
    endpoint.resolve(name).await.map_err(errno)
}
