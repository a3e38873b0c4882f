//! A connection that becomes a stream.

use bytes::{Bytes, BytesMut};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper::upgrade::Parts;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::error::refused;
use super::request::{ANSWER_WITHIN, LONGEST};
use super::{ClientError, PodClient};
use crate::podprocess::streams::PROTOCOL;

/// A stream of a Pod's process, and what has come of it already.
pub(super) struct Opened {
    pub(super) stream: UnixStream,
    pub(super) early: BytesMut,
}

impl PodClient {
    /// Asks for a stream.
    ///
    /// # Errors
    /// [`ClientError`]
    pub(super) async fn open(&self, method: Method, path: &str) -> Result<Opened, ClientError> {
        tokio::time::timeout(ANSWER_WITHIN, self.ask(method, path))
            .await
            .unwrap_or_else(|_elapsed| Err(ClientError::TimedOut { socket: self.socket.clone() }))
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Opened, ClientError> {
        let stream = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.protocol(error))?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, PROTOCOL)
            .body(Empty::<Bytes>::new())
            .map_err(|error| self.protocol(error))?;
        let answer = async {
            let response =
                sender.send_request(request).await.map_err(|error| self.protocol(error))?;
            let code = response.status();
            if code == StatusCode::SWITCHING_PROTOCOLS {
                let upgraded = hyper::upgrade::on(response).await;
                return upgraded.map_err(|error| self.protocol(error));
            }
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| self.protocol(error))?.to_bytes();
            let status = serde_json::from_slice(&body).map_err(|error| self.protocol(error))?;
            Err(refused(code, status))
        };
        let connection = connection.with_upgrades();
        let mut answer = std::pin::pin!(answer);
        let upgraded = tokio::select! {
            biased;
            answer = answer.as_mut() => answer,
            // It ends when it has become a stream, or all that came is read.
            _ = connection => answer.await,
        }?;
        let parts: Parts<TokioIo<UnixStream>> =
            upgraded.downcast().expect("made of a unix stream above");
        Ok(Opened { stream: parts.io.into_inner(), early: BytesMut::from(parts.read_buf) })
    }
}
