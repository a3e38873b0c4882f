//! Probes and hooks as the host makes them: what is asked, over which protocol, and what an answer
//! means.
//!
//! All go straight into the Pod's address space: a connection to a guest is a pair of pipes, no
//! thread and no process is started, and what a guest does holds up none of it. When a probe is due
//! and what its answers come to is decided in [`lifecycle`](crate::lifecycle).
//!
//! | file | subject |
//! |---|---|
//! | `handler` | `httpGet`, `tcpSocket`, `grpc` and the rest, from the manifest (pure) |
//! | `http`, `insecure` | one GET, redirects followed; TLS without verification |
//! | `grpc` | one call of the health protocol |
//! | `dial` | a connection to the Pod, or where the Pod itself might go |
//!
//! Rule: `pkg/probe` of the kubelet; the words of answers are its own.

mod dial;
mod grpc;
mod handler;
mod http;
mod insecure;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

pub(crate) use handler::Handler;
#[cfg(test)]
use handler::{HandlerError, Target};

use crate::lifecycle::{GoDuration, ProbeAnswer};
use crate::sandbox::network::Network;

/// The most of an answer that is read and shown.
const OUTPUT: usize = 10 << 10;

/// Asks once, for at most `within`.
pub(crate) async fn ask(
    network: &Arc<Network>,
    handler: &Handler,
    within: Duration,
) -> ProbeAnswer {
    let endpoint = &network.endpoint();
    match handler {
        Handler::Http(get) => match timeout(within, http::get(endpoint, get)).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                let what =
                    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
                ProbeAnswer::Failure(format!("Get {:?}: {what}", get.url()))
            }
        },
        Handler::Tcp(to) => match timeout(within, dial::dial(endpoint, &to.host, to.port)).await {
            Ok(Ok(_closed_at_once)) => ProbeAnswer::Success,
            Ok(Err(problem)) => ProbeAnswer::Failure(problem),
            Err(_elapsed) => ProbeAnswer::Failure(format!("dial tcp {to}: i/o timeout")),
        },
        Handler::Grpc(to, service) => {
            match timeout(within, grpc::check(endpoint, to, service)).await {
                Ok(answer) => answer,
                Err(_elapsed) => ProbeAnswer::Failure(format!(
                    "timeout: health rpc did not complete within {}",
                    GoDuration(within)
                )),
            }
        }
        Handler::Exec(_) | Handler::Sleep(_) => {
            ProbeAnswer::Error("no handler that the host can ask".to_owned())
        }
    }
}

/// Calls a hook, for as long as it takes.
///
/// # Errors
/// What went wrong.
pub(crate) async fn call(network: &Arc<Network>, handler: &Handler) -> Result<(), String> {
    match handler {
        // Kubernetes looks at no more than whether there was an answer.
        Handler::Http(get) => http::send(&network.endpoint(), get).await.map(drop),
        Handler::Sleep(duration) => {
            tokio::time::sleep(*duration).await;
            Ok(())
        }
        Handler::Exec(_) | Handler::Tcp(_) | Handler::Grpc(..) => {
            Err("no handler that a hook can have".to_owned())
        }
    }
}
