//! Removing what Pods left behind whose process was killed, and the logs of Pods long ended.
//!
//! Never on the way to a first guest: a Pod that lives long sweeps once it has settled, one that
//! ends sooner at its end. So the folders of dead Pods do not outlive the next Pod of this machine.

use std::time::Duration;

use tokio::time;

use super::folders::Folders;
use crate::executor::Blocking;
use crate::logs::forget_ended_pods;
use crate::sandbox::filesystem;
use crate::sandbox::network::{Directory, remove_dead_sockets};

/// By then a Pod has started, or waits for something.
const SETTLED: Duration = Duration::from_secs(5);

/// Lives a Pod's `life` to its end and sweeps once on the way.
pub(super) async fn beside<Output>(
    folders: Folders,
    blocking: Blocking,
    life: impl Future<Output = Output>,
) -> Output {
    tokio::pin!(life);
    tokio::select! {
        biased;
        output = &mut life => {
            sweep(&folders);
            output
        }
        () = time::sleep(SETTLED) => {
            // Large trees take long; the Pod goes on meanwhile.
            let sweeping = blocking.spawn(move || sweep(&folders));
            let output = life.await;
            // One that panicked has said so, and the next Pod sweeps again.
            let _ = sweeping.await;
            output
        }
    }
}

fn sweep(folders: &Folders) {
    sweep_dead_pods(folders);
    // The folders of dead Pods are gone: a lock that is there is a live one's.
    let pods = folders.pods();
    // Logs of a Pod that is kept as an object are its own to the end of that.
    let is_kept =
        |uid: &str| filesystem::has_owner(&pods, uid) || folders.process_lock(uid).exists();
    if let Err(error) = forget_ended_pods(&folders.logs(), is_kept) {
        tracing::debug!("logs of ended Pods are left in {}: {error}", folders.logs().display());
    }
}

/// Removes the folders, sockets and records of Pods whose process is gone.
///
/// Any number of processes may do so at once, while others start Pods.
pub fn sweep_dead_pods(folders: &Folders) {
    sweep_pods(folders);
    remove_dead_sockets(folders.sockets());
    // Who reads the records of dead Pods removes them.
    let directory = Directory::new(folders.network());
    let _ = (directory.pods(), directory.services());
}

fn sweep_pods(folders: &Folders) {
    let swept = match filesystem::sweep(&folders.pods()) {
        Ok(swept) => swept,
        Err(error) => {
            tracing::debug!("cannot look for dead Pods in {}: {error}", folders.pods().display());
            return;
        }
    };
    for dead in swept {
        match dead.removed {
            Ok(()) => tracing::debug!("removed what the dead Pod {} had left", dead.uid),
            Err(error) => tracing::warn!("cannot remove all of the dead Pod {}: {error}", dead.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leave_a_dead_pod(folders: &Folders, uid: &str) {
        let pod = folders.pods().join(uid);
        std::fs::create_dir_all(pod.join("web.0")).unwrap();
        std::fs::write(folders.pods().join(format!("{uid}.lock")), "").unwrap();
    }

    fn pods(folders: &Folders) -> usize {
        std::fs::read_dir(folders.pods()).unwrap().count()
    }

    #[tokio::test]
    async fn a_short_life_sweeps_at_its_end() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(root.path())).unwrap();
        leave_a_dead_pod(&folders, "dead");
        let during = beside(folders.clone(), Blocking::Aside, async { pods(&folders) }).await;
        assert_eq!((during, pods(&folders)), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_life_sweeps_on_the_way() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(root.path())).unwrap();
        leave_a_dead_pod(&folders, "dead");
        let life = async {
            while pods(&folders) > 0 {
                time::sleep(Duration::from_secs(1)).await;
            }
        };
        let lived = beside(folders.clone(), Blocking::Aside, life);
        time::timeout(Duration::from_secs(3600), lived).await.unwrap();
    }
}
