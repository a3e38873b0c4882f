//! From the object of a Pod, and those that it refers to, to the Pod that runs.

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::Notify;
use tokio::time::timeout;
use wasmpod::error::chain;
use wasmpod::lifecycle::Identity;
use wasmpod::pod::{Folders, PodView};
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::{Store, StoreError};

use super::referred::Referred;

/// When a Pod looks though nobody has told it of a change: whoever makes one may be killed before that.
///
/// Rule: `syncFrequency` of the kubelet.
const LOOK_ANYWAY: Duration = Duration::from_secs(60);

/// Has the Pod follow its objects, each time that there is `news`.
pub(super) async fn follow(folders: &Folders, pod: &PodView, news: &Notify) -> Infallible {
    loop {
        // Either way it is time to look.
        let _ = timeout(LOOK_ANYWAY, news.notified()).await;
        let (folder, identity) = (folders.objects(), pod.identity().clone());
        let reading = tokio::task::spawn_blocking(move || {
            Store::open(&folder).and_then(|store| read(&store, &identity))
        });
        match reading.await {
            Ok(Ok(Some((object, referred)))) => {
                if object.metadata.deletion_timestamp.is_some() {
                    // Whoever has asked for its end could not tell it.
                    pod.handle().stop(grace_left(&object)).await;
                }
                pod.update(&object, referred.into()).await;
            }
            // Nobody else may forget it while this process lives, so it was removed as it is.
            Ok(Ok(None)) => pod.handle().kill().await,
            Ok(Err(error)) => tracing::warn!("the Pod's objects are not read: {}", chain(&error)),
            Err(panicked) => tracing::warn!("the Pod's objects are not read: {panicked}"),
        }
    }
}

/// What is left of the grace period of a Pod that is to be deleted.
///
/// Rule: `metadata.deletionTimestamp` is the end of the grace period.
fn grace_left(pod: &Pod) -> Option<Duration> {
    let end = pod.metadata.deletion_timestamp.as_ref()?.0;
    let left = end.duration_since(Timestamp::now());
    Some(Duration::try_from(left).unwrap_or_default())
}

/// The object of the Pod, unless that is gone, and what it refers to.
fn read(store: &Store, identity: &Identity) -> Result<Option<(Pod, Referred)>, StoreError> {
    let object = match store.get(&Key::new(PODS, &identity.namespace, &identity.name)) {
        Ok(object) => object,
        Err(error) if error.is_not_found() => return Ok(None),
        Err(error) => return Err(error),
    };
    // One of a newer version is not gone: the Pod stays as it is.
    let pod = serde_json::from_value::<Pod>(object).map_err(StoreError::OtherType)?;
    if pod.metadata.uid.as_ref() != Some(&identity.uid) {
        return Ok(None);
    }
    let referred = Referred::by(&pod, store)?;
    Ok(Some((pod, referred)))
}
