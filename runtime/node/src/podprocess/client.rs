//! Speaking to the process of a Pod.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::time::Instant;
use wasmpod::pod::PatchKind;
use wasmpod::resources::stats::PodStats;

use super::api::{Eviction, Patched};

/// How long a Pod's process may take for an answer: it is on a machine that may be short of all.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const ANSWERS_SOON: Duration = Duration::from_secs(2);
/// A Pod that requests something is known before its process listens, which comes behind the start.
const LISTENS_WITHIN: Duration = Duration::from_secs(1);
const LOOKS_AGAIN: Duration = Duration::from_millis(10);
/// The longest answer that is read.
const LONGEST: usize = 16 << 20;

/// The process of one Pod. Each call is a connection of its own.
#[derive(Debug, Clone)]
pub struct PodClient {
    socket: PathBuf,
}

/// What a Pod's process did not do.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there: the Pod has ended, or has only just begun.
    #[error("nobody answers at {}", socket.display())]
    Gone {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It has refused.
    #[error("{message}")]
    Refused {
        /// The status of HTTP.
        code: StatusCode,
        /// The reason in the words of the API, such as `NotFound`.
        reason: String,
        /// The sentence beside it.
        message: String,
    },
    /// It does not answer in time.
    #[error("{} does not answer in time", socket.display())]
    TimedOut {
        /// The socket.
        socket: PathBuf,
    },
    /// What it answers is not understood, or it has broken off.
    #[error("{} speaks in another way", socket.display())]
    Protocol {
        /// The socket.
        socket: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
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
        tokio::time::timeout(ANSWERS_SOON, self.stats())
            .await
            .unwrap_or_else(|_elapsed| Err(ClientError::TimedOut { socket: self.socket.clone() }))
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

    /// Posts what needs no answer but that it is done.
    async fn post(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        let body = serde_json::to_vec(body).map_err(|error| self.protocol(error))?;
        let _: Status = self.call(Method::POST, path, body.into()).await?;
        Ok(())
    }

    /// One request and its answer.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn call<Answer: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        self.send(method, path, "application/json", body).await
    }

    async fn send<Answer: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let exchange = self.exchange(method, path, content_type, body);
        let (code, answer) = tokio::time::timeout(ANSWER_WITHIN, exchange)
            .await
            .map_err(|_elapsed| ClientError::TimedOut { socket: self.socket.clone() })??;
        let understood = if code.is_success() {
            serde_json::from_slice(&answer).map(Ok)
        } else {
            serde_json::from_slice(&answer).map(|status| Err(refused(code, status)))
        };
        understood.map_err(|error| self.protocol(error))?
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let stream = self
            .connect()
            .await
            .map_err(|source| ClientError::Gone { socket: self.socket.clone(), source })?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.protocol(error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::new(body))
            .map_err(|error| self.protocol(error))?;
        let answer = async {
            let response =
                sender.send_request(request).await.map_err(|error| self.protocol(error))?;
            let code = response.status();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            Ok((code, body.map_err(|error| self.protocol(error))?.to_bytes()))
        };
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            biased;
            answer = answer.as_mut() => answer,
            // It ends when all that came is read; what is to be told of it, the answer tells.
            _ = connection => answer.await,
        }
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        let deadline = Instant::now() + LISTENS_WITHIN;
        loop {
            match UnixStream::connect(&self.socket).await {
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound && Instant::now() < deadline =>
                {
                    tokio::time::sleep(LOOKS_AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Where it is.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    fn protocol(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Protocol { socket: self.socket.clone(), source: source.into() }
    }
}

fn refused(code: StatusCode, status: Status) -> ClientError {
    ClientError::Refused {
        code,
        reason: status.reason.unwrap_or_default(),
        message: status.message.unwrap_or_else(|| code.to_string()),
    }
}
