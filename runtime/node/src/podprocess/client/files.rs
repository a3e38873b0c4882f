//! Archives of a container's files.

use bytes::Bytes;
use http::Method;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use wasmpod::sandbox::filesystem::{Copied, FileStat};

use super::session::{SessionReader, SessionWriter, causes, ends, failed, read_status};
use super::{ClientError, PodClient};
use crate::podprocess::frame::{Channel, Frame};
use crate::podprocess::streams::{BYTES, ENTRIES, NOTE};

/// An archive that comes. Dropping it ends the copying.
pub struct DownloadReader {
    /// What closes the connection with it.
    _writer: SessionWriter,
    reader: SessionReader,
    copied: Option<Copied>,
}

/// An archive that goes. Dropped before it is [finished](Self::finish) it is broken off.
pub struct UploadWriter {
    writer: SessionWriter,
    reader: SessionReader,
}

impl PodClient {
    /// What is at `path` in `container`, which may have ended. A link is not followed.
    ///
    /// # Errors
    /// [`ClientError`]; there may be nothing (`NotFound`).
    pub async fn stat(&self, container: &str, path: &str) -> Result<FileStat, ClientError> {
        let path = format!("{}&stat=1", of_files(container, path));
        self.call(Method::GET, &path, Bytes::new()).await
    }

    /// What is at `path` in `container`, with all that is below it, as a tar archive. Its entries are named
    /// from the last part of the path on.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn copy_from(
        &self,
        container: &str,
        path: &str,
    ) -> Result<DownloadReader, ClientError> {
        let opened = self.open(Method::GET, &of_files(container, path)).await?;
        let (writer, reader) = ends(opened);
        Ok(DownloadReader { _writer: writer, reader, copied: None })
    }

    /// Takes a tar archive and unpacks it below the folder at `path` in `container`.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn copy_to(&self, container: &str, path: &str) -> Result<UploadWriter, ClientError> {
        let opened = self.open(Method::PUT, &of_files(container, path)).await?;
        let (writer, reader) = ends(opened);
        Ok(UploadWriter { writer, reader })
    }
}

fn of_files(container: &str, path: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("path", path);
    format!("/containers/{container}/files?{}", query.finish())
}

impl DownloadReader {
    /// The next bytes of the archive; none at its end, which it has only as a whole.
    ///
    /// # Errors
    /// [`ClientError`]: what has come is not whole.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        if self.copied.is_some() {
            return Ok(None);
        }
        loop {
            let Frame { channel, payload } = self.reader.frame().await?;
            match channel {
                Channel::Stdout => return Ok(Some(payload)),
                Channel::Status => {
                    self.copied = Some(of_status(read_status(&payload)?)?);
                    return Ok(None);
                }
                Channel::Stdin | Channel::Stderr | Channel::Resize | Channel::Close => {}
            }
        }
    }

    /// What was copied, once the end has come.
    pub fn copied(&self) -> Option<&Copied> {
        self.copied.as_ref()
    }
}

impl UploadWriter {
    /// Sends bytes of the archive. Answers whether more are wanted: not behind its end, or an error, which
    /// [`finish`](Self::finish) tells.
    ///
    /// # Cancel safety
    /// Not safe: the archive is broken off.
    pub async fn push(&mut self, bytes: Bytes) -> bool {
        self.writer.write_all(bytes).await.is_ok()
    }

    /// The archive is whole: waits until all of it is written.
    ///
    /// # Errors
    /// [`ClientError`]; some of it may have been written.
    pub async fn finish(mut self) -> Result<Copied, ClientError> {
        // Where nobody takes it, the answer says why.
        let _ = self.writer.end().await;
        loop {
            let Frame { channel, payload } = self.reader.frame().await?;
            match channel {
                Channel::Status => return of_status(read_status(&payload)?),
                Channel::Stdin
                | Channel::Stdout
                | Channel::Stderr
                | Channel::Resize
                | Channel::Close => {}
            }
        }
    }
}

fn of_status(status: Status) -> Result<Copied, ClientError> {
    if status.status.as_deref() != Some("Success") {
        return Err(failed(status));
    }
    let number = |reason| causes(&status, reason).next().and_then(|text| text.parse().ok());
    Ok(Copied {
        entries: number(ENTRIES).unwrap_or_default(),
        bytes: number(BYTES).unwrap_or_default(),
        notes: causes(&status, NOTE).map(str::to_owned).collect(),
    })
}
