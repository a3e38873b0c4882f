//! A Pod that somebody watches, as others see it: it is an object as long as it runs.
//!
//! Written down behind its start, which must not wait for a disk; one that is over sooner is never.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::sleep;
use wasmpod::error::chain;
use wasmpod::pod::PodView;
use wasmpod::worker::Finished;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::status::Reason;
use wasmpod_objects::store::{Create, Origin, Store};

use super::keep::{AtTheEnd, Keeper};
use super::lock::ProcessLock;
use super::lost::is_over;
use crate::node::Node;

/// By then a Pod has started, or waits for something; a shorter one has nothing to tell.
const SETTLED: Duration = Duration::from_millis(50);

/// One Pod of this process.
pub struct ForegroundPod {
    keeper: Keeper,
    view: PodView,
    shown: Arc<Mutex<Shown>>,
}

/// Whether it is an object.
#[derive(Debug, Default)]
enum Shown {
    /// It is to be one.
    #[default]
    NotYet,
    /// It is one as long as this is held.
    Held(ProcessLock),
    /// It is none any more, or will never be one.
    Over,
}

impl ForegroundPod {
    /// The Pod of `view` on the machine `node`.
    pub fn new(node: &Node, view: PodView) -> Self {
        let keeper = Keeper::of(node.folders(), view.manifest(), AtTheEnd::Go);
        Self { keeper, view, shown: Arc::default() }
    }

    /// Shows the Pod until it is dropped.
    ///
    /// # Cancel safety
    /// Safe: [`ForegroundPod::ended`] removes what was written.
    pub async fn show(&self) -> Infallible {
        sleep(SETTLED).await;
        let mut watching = self.keeper.watch(self.view.handle());
        if let Err(note) = self.write_down().await {
            self.view.note(&note);
            return pending().await;
        }
        self.keeper.keep(&mut watching).await
    }

    /// The Pod has ended: it is no object any more.
    pub async fn ended(&self, finished: &Finished) {
        let shown = Arc::clone(&self.shown);
        // Whoever is writing it down holds this until that is done.
        let over = tokio::task::spawn_blocking(move || {
            std::mem::replace(&mut *locked(&shown), Shown::Over)
        });
        if let Ok(Shown::Held(_lock)) = over.await {
            let watching = self.keeper.watch(self.view.handle());
            self.keeper.ended(finished, watching).await;
        }
    }

    /// # Errors
    /// What the user is told.
    async fn write_down(&self) -> Result<(), String> {
        let (folders, identity) = (self.keeper.folders().clone(), self.keeper.identity().clone());
        let object = self.view.object();
        if object.status.as_ref().is_some_and(is_over) {
            return Ok(());
        }
        let object = serde_json::to_value(object).map_err(|error| error.to_string())?;
        let (shown, deletion) = (Arc::clone(&self.shown), self.view.handle().deletion());
        let writing = tokio::task::spawn_blocking(move || {
            let mut shown = locked(&shown);
            // Whoever has ended it looks no more at what it writes.
            if matches!(*shown, Shown::Over) || deletion.borrow().is_some() {
                return Ok(());
            }
            let failed = |error: &dyn std::error::Error| {
                format!("`wasmpod get` does not show this Pod: {}", chain(error))
            };
            let lock = ProcessLock::try_take(&folders, &identity.uid);
            let lock = lock.map_err(|error| failed(&error))?;
            let lock = lock.ok_or("`wasmpod get` does not show this Pod: its uid is taken")?;
            let store = Store::open(&folders.objects()).map_err(|error| failed(&error))?;
            let create = Create {
                origin: Origin::Node,
                uid: Some(identity.uid.clone()),
                ..Create::default()
            };
            match store.create(PODS, &identity.namespace, object, &create) {
                Ok(_) => {
                    *shown = Shown::Held(lock);
                    Ok(())
                }
                Err(error) => {
                    // Nobody needs it.
                    drop(std::fs::remove_file(folders.process_lock(&identity.uid)));
                    if error.reason() == Some(Reason::AlreadyExists) {
                        let name = &identity.name;
                        return Err(format!(
                            "there is another Pod {name:?}: `wasmpod get` shows that one"
                        ));
                    }
                    Err(failed(&error))
                }
            }
        });
        writing.await.map_err(|error| error.to_string())?
    }
}

fn locked(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    // Each change is one assignment.
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
