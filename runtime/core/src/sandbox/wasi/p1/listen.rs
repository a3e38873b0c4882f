//! The listeners of a run, and how the guest is told of them.

use crate::sandbox::network::{Endpoint, Listener, NetworkError};

/// A TCP port that the manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenPort {
    /// `containerPort`
    pub number: u16,
    /// `name`
    pub name: Option<String>,
}

/// A declared port could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot listen on containerPort {port} for the module")]
pub struct ListenError {
    /// The port.
    pub port: u16,
    /// Why: another container of the Pod has it, most likely.
    #[source]
    pub source: NetworkError,
}

/// Listens on each port, on the Pod's addresses and loopback, of both families.
///
/// # Errors
/// [`ListenError`] for the first that cannot be had; the others are closed again.
pub fn listen(endpoint: &Endpoint, ports: &[ListenPort]) -> Result<Vec<Listener>, ListenError> {
    ports
        .iter()
        .map(|port| {
            endpoint
                .listen_any(port.number)
                .map_err(|source| ListenError { port: port.number, source })
        })
        .collect()
}

/// The variables of systemd's socket activation. `LISTEN_PID` is left out: a guest has no process
/// id, and programs that are ported to WASI do not ask for it.
pub fn environment(ports: &[ListenPort]) -> Vec<(String, String)> {
    if ports.is_empty() {
        return Vec::new();
    }
    // `unknown` is systemd's name for what has none.
    let names: Vec<&str> =
        ports.iter().map(|port| port.name.as_deref().unwrap_or("unknown")).collect();
    vec![
        ("LISTEN_FDS".to_owned(), ports.len().to_string()),
        ("LISTEN_FDNAMES".to_owned(), names.join(":")),
    ]
}
