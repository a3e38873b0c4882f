//! What a Pod's process does beside its Pod, behind the start.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use wasmpod::error::chain;
use wasmpod::pod::PodView;

use crate::admission::Place;
use crate::podprocess::ControlServer;
use crate::pressure;

/// By then a Pod has started, or waits for something; a shorter one has nothing to tell.
const SETTLED: Duration = Duration::from_millis(50);

/// When what could not be done is tried again: a disk that is full may not stay so.
const RETRY: Duration = Duration::from_secs(5);

/// Has others know of a Pod and speak to its process, and watches over the memory of the machine if
/// nobody else does. Ends behind the Pod, when those that watch it were told, which may take a second of
/// those that do not listen. `news` is notified when somebody says that the Pod's objects were changed.
///
/// # Cancel safety
/// Dropping it ends all of that at once.
pub async fn attend(
    place: Arc<Place>,
    pod: PodView,
    eviction: pressure::Settings,
    news: Arc<Notify>,
) {
    let attending = async {
        tokio::time::sleep(SETTLED).await;
        served(&place, &pod, news).await
    };
    let Some(server) = unless_gone(&pod, attending).await else { return };
    let _never = unless_gone(&pod, pressure::watch(place.node(), eviction)).await;
    server.finish().await;
}

/// What `work` comes to, unless the Pod is gone before.
async fn unless_gone<Value>(pod: &PodView, work: impl Future<Output = Value>) -> Option<Value> {
    let mut status = pod.handle().status();
    let gone = async { while status.changed().await.is_ok() {} };
    tokio::select! {
        biased;
        () = gone => None,
        value = work => Some(value),
    }
}

async fn served(place: &Place, pod: &PodView, news: Arc<Notify>) -> ControlServer {
    let socket = place.node().folders().control_socket(&pod.identity().uid);
    let mut has_failed = false;
    loop {
        let served = ControlServer::serve(pod.clone(), Arc::clone(&news), &socket)
            .map_err(|error| chain(&error))
            .and_then(|server| {
                // After the socket: who finds the record may call.
                place.make_known(pod.manifest()).map_err(|error| chain(&error))?;
                Ok(server)
            });
        match served {
            Ok(server) => {
                // Who has changed something before could not tell it.
                news.notify_one();
                return server;
            }
            Err(problem) if !std::mem::replace(&mut has_failed, true) => {
                pod.note(&format!("other commands cannot speak to this Pod: {problem}"));
            }
            Err(_) => {}
        }
        tokio::time::sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;
    use wasmpod::pod::Folders;

    use super::*;
    use crate::node::{Node, Settings};
    use crate::podprocess::PodClient;
    use crate::podprocess::tests::{PATIENCE, pod};

    #[tokio::test]
    async fn a_pod_is_known_while_it_lives() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(root.path())).unwrap();
        let node = Node::new(&folders, Settings::default());
        let pod = pod(
            root.path(),
            "{containers: [{name: web, image: ./idle.wat, resources: {requests: {cpu: 100m}}}]}",
        );
        let (handle, view) = (pod.handle(), pod.view());
        let place = Arc::new(Place::new(node.clone()));
        let attending = attend(place, view, pressure::Settings::default(), Arc::default());
        let talk = async {
            let ledger = node.ledger();
            let known = timeout(PATIENCE, async {
                loop {
                    if let [known] = ledger.pods_now().as_slice() {
                        return known.clone();
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
            let known = known.await.expect("in time");
            assert_eq!(
                (known.full_name().as_str(), known.requests.milli_cpu),
                ("default/idle", 100)
            );
            let object = PodClient::new(&known.socket).status().await.unwrap();
            assert_eq!(object.metadata.uid.as_deref(), Some(known.uid.as_str()));
            handle.kill().await;
        };
        tokio::join!(pod.run(), talk, attending);
        assert!(node.ledger().pods_now().is_empty());
    }
}
