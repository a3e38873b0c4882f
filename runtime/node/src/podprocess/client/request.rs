//! A question and its answer.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::error::refused;
use super::{ClientError, PodClient};

/// How long a Pod's process may take for an answer: it is on a machine that may be short of all.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// A Pod that requests something is known before its process listens, which comes behind the start.
const LISTENS_WITHIN: Duration = Duration::from_secs(1);
const LOOKS_AGAIN: Duration = Duration::from_millis(10);
/// The longest answer that is read.
pub(super) const LONGEST: usize = 16 << 20;

impl PodClient {
    /// Posts what needs no answer but that it is done.
    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
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

    pub(super) async fn send<Answer: DeserializeOwned>(
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
        let stream = self.connect().await?;
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

    pub(super) async fn connect(&self) -> Result<UnixStream, ClientError> {
        let gone = |source| ClientError::Gone { socket: self.socket.clone(), source };
        let deadline = Instant::now() + LISTENS_WITHIN;
        loop {
            match UnixStream::connect(&self.socket).await {
                // Not yet made; or left by a process that was killed, and the next one is on its way.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                    ) && Instant::now() < deadline =>
                {
                    tokio::time::sleep(LOOKS_AGAIN).await;
                }
                outcome => return outcome.map_err(gone),
            }
        }
    }

    pub(super) fn protocol(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ClientError {
        ClientError::Protocol { socket: self.socket.clone(), source: source.into() }
    }
}
