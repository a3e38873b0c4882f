//! What a Pod's process does beside its Pod, behind the start.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use wasmpod::error::chain;
use wasmpod::pod::PodView;

use super::server::ControlServer;
use crate::admission::Place;

/// By then a Pod has started, or waits for something; a shorter one has nothing to tell.
const SETTLED: Duration = Duration::from_millis(50);

/// When what could not be done is tried again: a disk that is full may not stay so.
const RETRY: Duration = Duration::from_secs(5);

/// Has others know of a Pod and speak to its process; to be dropped when the Pod has ended.
pub async fn attend(place: Arc<Place>, pod: PodView) -> Infallible {
    tokio::time::sleep(SETTLED).await;
    let _server = served(&place, &pod).await;
    pending().await
}

async fn served(place: &Place, pod: &PodView) -> ControlServer {
    let socket = place.node().folders().control_socket(&pod.identity().uid);
    let mut has_failed = false;
    loop {
        let served = ControlServer::serve(pod.clone(), &socket)
            .map_err(|error| chain(&error))
            .and_then(|server| {
                // After the socket: who finds the record may call.
                place.make_known(pod.manifest()).map_err(|error| chain(&error))?;
                Ok(server)
            });
        match served {
            Ok(server) => return server,
            Err(problem) if !std::mem::replace(&mut has_failed, true) => {
                pod.note(&format!("other commands cannot speak to this Pod: {problem}"));
            }
            Err(_) => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}
