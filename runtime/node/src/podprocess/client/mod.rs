//! Speaking to the process of a Pod.
//!
//! | file | subject |
//! |---|---|
//! | `request` | a question and its answer |
//! | `open` | a connection that becomes a stream |
//! | `session` | a command, an attached client |
//! | `files` | archives |
//! | `watch` | the Pod as it changes |
//! | `error` | what the process has not done |

mod error;
mod files;
mod open;
mod request;
mod session;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;
use wasmpod::pod::PatchKind;
use wasmpod::resources::stats::PodStats;

use super::api::{Eviction, Patched, Stop};
pub use error::ClientError;
pub use files::{DownloadReader, UploadWriter};
pub use session::{SessionEvent, SessionReader, SessionWriter, Sessioned};
pub use watch::StatusWatch;

/// How long one may take of whom many are asked.
const ANSWERS_SOON: Duration = Duration::from_secs(2);

/// The process of one Pod. Each call is a connection of its own.
#[derive(Debug, Clone)]
pub struct PodClient {
    socket: PathBuf,
}

impl PodClient {
    /// The process that serves `socket`.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// The Pod with its present status.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn status(&self) -> Result<Pod, ClientError> {
        self.call(Method::GET, "/status", Bytes::new()).await
    }

    /// What the Pod uses.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn stats(&self) -> Result<PodStats, ClientError> {
        self.call(Method::GET, "/stats", Bytes::new()).await
    }

    /// What the Pod uses, for who asks many: one whose process stands still holds up no others.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn stats_soon(&self) -> Result<PodStats, ClientError> {
        self.soon(self.stats()).await
    }

    /// Gives the Pod other resources, by a patch of its subresource `resize`.
    ///
    /// # Errors
    /// [`ClientError`]; the patch may break rules of the API.
    pub async fn resize(&self, patch: &Value, kind: PatchKind) -> Result<Patched, ClientError> {
        let body = serde_json::to_vec(patch).map_err(|error| self.protocol(error))?;
        self.send(Method::PATCH, "/resize", kind.content_type(), body.into()).await
    }

    /// Has the Pod fail as Evicted.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn evict(&self, eviction: &Eviction) -> Result<(), ClientError> {
        self.post("/evict", eviction).await
    }

    /// Has a container end as OOMKilled.
    ///
    /// # Errors
    /// [`ClientError`]; the Pod may have no such container.
    pub async fn evict_container(
        &self,
        container: &str,
        eviction: &Eviction,
    ) -> Result<(), ClientError> {
        self.post(&format!("/containers/{container}/evict"), eviction).await
    }

    /// Has the Pod end gracefully, as deleting it does.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn stop(&self, stop: &Stop) -> Result<(), ClientError> {
        self.post("/stop", stop).await
    }

    /// Has the Pod end at once.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn kill(&self) -> Result<(), ClientError> {
        self.post("/kill", &Value::Object(serde_json::Map::new())).await
    }

    /// Has it look at its objects, which may have been changed; one that stands still holds up nobody.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn sync(&self) -> Result<(), ClientError> {
        self.soon(self.post("/sync", &Value::Object(serde_json::Map::new()))).await
    }

    async fn soon<Answer>(
        &self,
        call: impl Future<Output = Result<Answer, ClientError>>,
    ) -> Result<Answer, ClientError> {
        let elapsed = |_| Err(ClientError::TimedOut { socket: self.socket.clone() });
        tokio::time::timeout(ANSWERS_SOON, call).await.unwrap_or_else(elapsed)
    }

    /// Where it is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}
