//! Taking connections of a port of the host, each handed to a task of its own.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Connections of one port between accept and hand-over; more wait in the kernel's queue.
const MOST_WAITING: usize = 256;

/// Accepts for ever, and has `take` find a place for each connection and its client.
///
/// # Cancel safety
/// Dropping it gives up the connections that have no place yet.
pub(super) async fn take_each<Taking: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    take: impl Fn(TcpStream, SocketAddr) -> Taking,
) {
    let mut waiting = JoinSet::new();
    loop {
        while waiting.len() >= MOST_WAITING {
            waiting.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, client)) => {
                while waiting.try_join_next().is_some() {}
                waiting.spawn(take(stream, client));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
