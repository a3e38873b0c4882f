//! Reading what a registry sends, as long as it comes, and not more than it may.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use tokio::time::{self, Instant};

use crate::error::Failure;
use crate::options::Limits;

/// A body, of which enough must come in each span of time: one that trickles is as bad as one that
/// stands still.
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    limits: Limits,
    window_ends: Instant,
    window_bytes: u64,
}

impl Body {
    pub(crate) fn new(response: Response, limits: Limits) -> Self {
        let window_ends = Instant::now() + limits.stall;
        Self { response, limits, window_ends, window_bytes: 0 }
    }

    /// The next piece; `None` at its end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let now = Instant::now();
        if self.window_bytes >= self.limits.stall_bytes
            || now > self.window_ends + self.limits.stall
        {
            // The second case: it was us who were slow, with the disk or another who has the lock.
            self.window_ends = now + self.limits.stall;
            self.window_bytes = 0;
        }
        let next = time::timeout_at(self.window_ends, self.response.chunk()).await;
        let chunk = next.map_err(|_| self.stalled())?.map_err(|error| unavailable(&error))?;
        self.window_bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    fn stalled(&self) -> Failure {
        Failure::Unavailable(format!(
            "{} bytes in {:?}: i/o timeout",
            self.window_bytes, self.limits.stall
        ))
    }
}

/// All of a body that has at most `most` bytes and is here in time; `Ok(None)` if it has more.
pub(crate) async fn read_all(
    mut response: Response,
    most: u64,
    limits: Limits,
) -> Result<Option<Vec<u8>>, Failure> {
    if response.content_length().is_some_and(|length| length > most) {
        return Ok(None);
    }
    in_time(limits.answer, async {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unavailable(&error))? {
            if (bytes.len() + chunk.len()) as u64 > most {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    })
    .await
}

/// Waits for it, but not for ever.
pub(crate) async fn in_time<Value>(
    limit: Duration,
    work: impl Future<Output = Result<Value, Failure>>,
) -> Result<Value, Failure> {
    let late = |_| Failure::Unavailable(format!("no answer in {limit:?}: i/o timeout"));
    time::timeout(limit, work).await.map_err(late)?
}

/// What the HTTP client could not do: only its innermost cause says more than that.
pub(crate) fn unavailable(error: &reqwest::Error) -> Failure {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let os_error = cause.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let text = match os_error {
        // In the words of Go's client, for which people and tools look: `connection refused`.
        Some(number) => {
            let text =
                cause.to_string().to_lowercase().replace(&format!(" (os error {number})"), "");
            if error.is_connect() { format!("connect: {text}") } else { text }
        }
        // One without a cause would name the address, with all that is secret in it.
        None if std::ptr::addr_eq(cause, error) => "request failed".to_owned(),
        None => cause.to_string(),
    };
    Failure::Unavailable(text)
}
