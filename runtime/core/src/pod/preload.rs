//! Programs that are loaded while the sandbox is made.
//!
//! To map and link the code of a small guest takes as long as all that its Pod has on disk: the one
//! is done by the thread that will run the guest, the other meanwhile by the Pod's own. Only what is
//! compiled already; everything else, errors too, is left to the image's own step.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::api::core::v1::Container;

use super::runtime::{PodRuntime, pull_policy};
use crate::executor::{MilliCpu, PodExecutor, Task, Weight};
use crate::guest::{Engines, Program};
use crate::image::{Meant, PullPolicy};

/// Programs under way, by container.
pub(super) struct Preloads {
    loading: Mutex<HashMap<String, Task<Option<Loaded>>>>,
}

/// A program, and the file that it is from.
struct Loaded {
    file: PathBuf,
    program: Program,
}

impl Preloads {
    /// Begins to load the programs of the containers that start first. Those of others may be
    /// replaced before their turn.
    pub(super) fn begin(runtime: &PodRuntime, executor: &PodExecutor, engines: &Engines) -> Self {
        // As a whole core, so that it comes at once also beside guests.
        let account = executor.account("images", Weight::of_request(MilliCpu::new(1000)), None);
        let load = |container: &Container, meant: Meant| {
            let (engines, cache) = runtime.workshop(engines, container);
            let images = runtime.images().clone();
            account.spawn(async move {
                let file = match meant {
                    Meant::File(path) => path,
                    Meant::Image(reference) => images.program_here(&reference)?,
                };
                let code = cache.find(&file).ok()??;
                Some(Loaded { file, program: Program::load(&engines, &code).ok()? })
            })
        };
        let loading = runtime.first_containers().iter().filter_map(|container| {
            let meant = runtime.image_meant(container).ok()?;
            // What may be replaced by a newer one is no use.
            let is_settled =
                matches!(meant, Meant::File(_)) || pull_policy(container) != PullPolicy::Always;
            is_settled.then(|| (container.name.clone(), load(container, meant)))
        });
        Self { loading: Mutex::new(loading.collect()) }
    }

    /// The program of `container`, the first time that it is asked for, if it is the one in `file`: nobody
    /// has asked whether what an image's name meant a moment ago may run, and it may mean another by now.
    pub(super) async fn take(&self, container: &str, file: &Path) -> Option<Program> {
        let loading = self.loading.lock().unwrap_or_else(PoisonError::into_inner).remove(container);
        // One that failed fails again in the image's own step, which says why.
        let loaded = loading?.await.ok()??;
        (loaded.file == file).then_some(loaded.program)
    }
}
