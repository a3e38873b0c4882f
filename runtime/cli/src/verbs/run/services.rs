//! The Services of a command: announced before its Pods start, withdrawn when they have ended.

use std::io;
use std::path::Path;

use wasmpod::error::chain;
use wasmpod::manifest::Manifest;
use wasmpod::pod::{Folders, ServiceError, Services};
use wasmpod_node::background::services;
use wasmpod_objects::store::Store;

use crate::failure::Failure;
use crate::print::problem;

/// Announces the Services of `loaded`, if there are any.
///
/// # Errors
/// A name, an address or a port that somebody else has.
pub(super) fn announce(
    loaded: &Manifest,
    root: Option<&Path>,
    quiet: bool,
) -> Result<Option<Services>, Failure> {
    if loaded.services.is_empty() {
        return Ok(None);
    }
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot start", &error))?;
    // Opened first: whoever writes a Service holds the store, and waits for whoever is announcing.
    let store = Store::open(&folders.objects())?;
    let kept = || services::all(&store).map_err(io::Error::other);
    let services = Services::announce(&folders, &loaded.services, kept).map_err(|error| {
        let failure = Failure::new(chain(&error));
        match error {
            ServiceError::Exists { .. } => failure.hint(
                "another `wasmpod run` of this machine has it, or `wasmpod get services` shows it",
            ),
            _ => failure,
        }
    })?;
    if !quiet {
        for port in services.node_ports() {
            problem::note(&format!(
                "service {}/{}: port {} is port {} of this host",
                port.namespace, port.name, port.port, port.node_port
            ));
        }
    }
    Ok(Some(services))
}
