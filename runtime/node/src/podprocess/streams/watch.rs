//! The Pod, each time that it has changed.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use wasmpod::pod::PodView;

/// Sends the Pod as JSON, a line for what it is now and one for each change, until it has ended or the
/// client is gone. What changes while a client reads slowly is told once, as it is in the end.
pub(super) async fn carry(pod: &PodView, mut connection: UnixStream) {
    let (mut reader, mut writer) = connection.split();
    let telling = async {
        let (mut status, mut deletion) = (pod.handle().status(), pod.handle().deletion());
        loop {
            // Before the look: what comes behind it is another change.
            let _ = (status.borrow_and_update(), deletion.borrow_and_update());
            let mut line = serde_json::to_vec(&pod.object()).expect("objects of the API are JSON");
            line.push(b'\n');
            if writer.write_all(&line).await.is_err() {
                return;
            }
            let changed = tokio::select! {
                biased;
                changed = status.changed() => changed,
                changed = deletion.changed() => changed,
            };
            if changed.is_err() {
                let _ = writer.shutdown().await;
                return;
            }
        }
    };
    tokio::select! {
        () = telling => {}
        // It has nothing to say: what comes is its end.
        _ = reader.read_u8() => {}
    }
}
