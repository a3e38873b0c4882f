//! The Pod as it changes.

use bytes::{Buf as _, BytesMut};
use http::Method;
use k8s_openapi::api::core::v1::Pod;
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use super::open::Opened;
use super::request::LONGEST;
use super::{ClientError, PodClient};

/// A Pod's object, each time that it has changed.
pub struct StatusWatch {
    stream: UnixStream,
    come: BytesMut,
    /// What of that has no end of a line in it.
    looked_at: usize,
}

impl PodClient {
    /// Watches the Pod.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn watch_status(&self) -> Result<StatusWatch, ClientError> {
        let Opened { stream, early } = self.open(Method::GET, "/status?watch=1").await?;
        Ok(StatusWatch { stream, come: early, looked_at: 0 })
    }
}

impl StatusWatch {
    /// The Pod as it is now, then as it is after each change; none once its process has no more to say.
    ///
    /// # Errors
    /// [`ClientError::BrokenOff`]
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Result<Option<Pod>, ClientError> {
        let broken = |error| ClientError::broken_off(std::io::Error::other(error));
        loop {
            let end = self.come[self.looked_at..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let line = self.come.split_to(self.looked_at + end);
                self.come.advance(1);
                self.looked_at = 0;
                return serde_json::from_slice(&line).map(Some).map_err(broken);
            }
            self.looked_at = self.come.len();
            if self.looked_at > LONGEST {
                return Err(broken(serde::de::Error::custom("a line without an end")));
            }
            match self.stream.read_buf(&mut self.come).await {
                Ok(0) if self.come.is_empty() => return Ok(None),
                Ok(0) => return Err(ClientError::BrokenOff { source: None }),
                Ok(_) => {}
                Err(error) => return Err(ClientError::broken_off(error)),
            }
        }
    }
}
