//! One blob, from the registry into the layout.
//!
//! ```text
//! connection ──chunks──▶ bounded channel ──▶ a thread of its own: hashes, writes
//!      ▲ cut: from where it stopped, on the next connection
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use oci_spec::image::Descriptor;
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time;
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::Progress;
use wasmpod_images::layout::{Begin, Ingest, LayoutError, Pin};

use super::Sink;
use crate::body::Body;
use crate::error::Failure;
use crate::retry::Attempts;
use crate::session::{Call, Session};

/// How long to wait between looks at another process's pull of the same blob.
const BUSY_POLL: Duration = Duration::from_millis(20);

/// Chunks on their way to the disk: what a slow one may cost in memory, some 16 KiB each.
const QUEUE: usize = 64;

/// Having come so much further was worth it: the next cut counts as the first.
const PROGRESS_BYTES: u64 = 1 << 20;

/// Work on files, off the threads that serve everybody.
pub(crate) async fn blocking<Value: Send + 'static>(
    work: impl FnOnce() -> Result<Value, LayoutError> + Send + 'static,
) -> Result<Value, Failure> {
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(Failure::from),
        // Only when the runtime ends: this very future is about to be dropped.
        Err(error) => Err(Failure::Unavailable(error.to_string())),
    }
}

/// Whether the image was found to be one that cannot come right, so that nothing of it should stay.
#[derive(Debug)]
pub(super) struct Abandoned(watch::Sender<bool>);

impl Abandoned {
    pub(super) fn not_yet() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn set(&self) {
        self.0.send_replace(true);
    }

    fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    async fn wait(&self) {
        // Its sender is in our hands, so it does not end before.
        let _ = self.0.subscribe().wait_for(|abandoned| *abandoned).await;
    }
}

/// Fetches it, unless it is here; answers how many bytes came. Ends soon and leaves nothing once the
/// image is `abandoned`.
pub(super) async fn fetch(
    session: &Session<'_>,
    pin: &Arc<Pin>,
    descriptor: &Descriptor,
    abandoned: &Abandoned,
    progress: &Sink<'_>,
) -> Result<u64, Failure> {
    let digest = Digest::of(descriptor)?;
    let mut fetched = 0;
    loop {
        let begun = begin(pin, &digest, descriptor.size(), abandoned, progress).await?;
        let Some(ingest) = begun else {
            progress(Progress::Done { digest });
            return Ok(fetched);
        };
        let resumed = ingest.offset() > 0;
        let mut writer = Writer::start(ingest);
        let received = tokio::select! {
            biased;
            () = abandoned.wait() => Err(needless()),
            received = receive(session, &mut writer, progress) => received,
        };
        fetched += writer.received;
        let ingest = match received {
            Ok(()) => writer.finish().await?,
            Err(failure) => {
                // Of what cannot become right nothing stays; of what was cut, all.
                if !failure.is_transient() || abandoned.is_set() {
                    writer.discard().await;
                }
                return Err(failure);
            }
        };
        match blocking(move || ingest.commit()).await {
            Ok(()) => {
                progress(Progress::Done { digest });
                return Ok(fetched);
            }
            // A loss of power may have left anything in the partial file: once more, from nothing.
            Err(Failure::Invalid(_)) if resumed => {}
            Err(failure) => return Err(failure),
        }
    }
}

fn needless() -> Failure {
    Failure::Unavailable("another part of the image cannot come".to_owned())
}

/// The right to write it, waiting for whoever has it now. `None`: it is here.
async fn begin(
    pin: &Arc<Pin>,
    digest: &Digest,
    size: u64,
    abandoned: &Abandoned,
    progress: &Sink<'_>,
) -> Result<Option<Box<Ingest>>, Failure> {
    let mut told = false;
    // Looked at between questions: a thread that is about to make the file is waited for.
    while !abandoned.is_set() {
        let (pin, wanted) = (pin.clone(), digest.clone());
        match blocking(move || pin.ingest(&wanted, size)).await? {
            Begin::Present => return Ok(None),
            Begin::Mine(ingest) => return Ok(Some(ingest)),
            Begin::Busy if told => {}
            Begin::Busy => {
                told = true;
                progress(Progress::Waits { digest: digest.clone() });
            }
        }
        time::sleep(BUSY_POLL).await;
    }
    Err(needless())
}

async fn receive(
    session: &Session<'_>,
    writer: &mut Writer,
    progress: &Sink<'_>,
) -> Result<(), Failure> {
    let mut attempts = Attempts::new(session.options.limits);
    // Not the bytes that came: a registry that always begins anew would be asked without end.
    let mut furthest = writer.offset;
    while writer.offset < writer.size {
        let Err(failure) = receive_once(session, writer, progress).await else { continue };
        if writer.offset.saturating_sub(furthest) >= PROGRESS_BYTES {
            furthest = writer.offset;
            attempts.progressed();
        }
        time::sleep(attempts.after(failure)?).await;
    }
    Ok(())
}

async fn receive_once(
    session: &Session<'_>,
    writer: &mut Writer,
    progress: &Sink<'_>,
) -> Result<(), Failure> {
    let digest = writer.digest.clone();
    let mut call = Call::new(Method::GET, session.url(&format!("blobs/{digest}"))?);
    if writer.offset > 0 {
        let range = HeaderValue::try_from(format!("bytes={}-", writer.offset));
        call.headers.extend(range.ok().map(|range| (RANGE, range)));
    }
    let response = session.send(call).await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&response, writer.offset) => {}
        StatusCode::OK if writer.offset == 0 => {}
        StatusCode::OK => writer.restart().await?,
        // It does not go on from there: from nothing, with the next attempt.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if writer.offset > 0 => {
            writer.restart().await?;
            return Err(Failure::Unavailable("the registry does not resume".to_owned()));
        }
        _ => return Err(session.failure(&Method::GET, &digest.to_string(), response).await),
    }
    let expected = writer.size - writer.offset;
    if let Some(length) = response.content_length().filter(|length| *length != expected) {
        return Err(Failure::wrong_size(writer.size, writer.offset.saturating_add(length)));
    }
    let mut body = Body::new(response, session.options.limits);
    while let Some(chunk) = body.next().await? {
        writer.write(chunk).await?;
        progress(Progress::At { digest: digest.clone(), bytes: writer.offset });
    }
    if writer.offset < writer.size {
        // A body without a length that ends too soon is the same each time.
        return Err(Failure::wrong_size(writer.size, writer.offset));
    }
    Ok(())
}

/// Whether a part begins where it should: `Content-Range: bytes 5-9/10`.
fn starts_at(response: &Response, offset: u64) -> bool {
    let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes "));
    let start = start.and_then(|range| range.split('-').next());
    start.and_then(|start| start.trim().parse::<u64>().ok()) == Some(offset)
}

/// What the writing thread is told.
enum Write {
    Bytes(Bytes),
    Restart,
}

/// The thread that writes, which holds the blob's lock from the first connection to the last.
/// Dropped, it leaves what it has to the next pull.
struct Writer {
    digest: Digest,
    size: u64,
    /// Bytes that the thread has or will have.
    offset: u64,
    /// Bytes that came, with those that came in vain.
    received: u64,
    sender: mpsc::Sender<Write>,
    /// None once its end was told.
    thread: Option<JoinHandle<Result<Box<Ingest>, LayoutError>>>,
}

impl Writer {
    fn start(mut ingest: Box<Ingest>) -> Self {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let (digest, size, offset) = (ingest.digest().clone(), ingest.size(), ingest.offset());
        let thread = spawn_blocking(move || {
            while let Some(write) = receiver.blocking_recv() {
                let written = match write {
                    Write::Bytes(bytes) => ingest.write(&bytes),
                    Write::Restart => ingest.restart(),
                };
                if let Err(error) = written {
                    // On a disk that is full it would keep the room that others need.
                    ingest.discard();
                    return Err(error);
                }
            }
            Ok(ingest)
        });
        Self { digest, size, offset, received: 0, sender, thread: Some(thread) }
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Failure> {
        let length = bytes.len() as u64;
        let offset = self.offset.saturating_add(length);
        if offset > self.size {
            return Err(Failure::too_long(self.size));
        }
        self.tell(Write::Bytes(bytes)).await?;
        self.offset = offset;
        self.received += length;
        Ok(())
    }

    async fn restart(&mut self) -> Result<(), Failure> {
        self.tell(Write::Restart).await?;
        self.offset = 0;
        Ok(())
    }

    async fn tell(&mut self, write: Write) -> Result<(), Failure> {
        if self.sender.send(write).await.is_ok() {
            return Ok(());
        }
        // It has ended, so it can say why.
        ended(&mut self.thread).await?;
        Err(cancelled())
    }

    /// Waits until all is written.
    async fn finish(mut self) -> Result<Box<Ingest>, Failure> {
        drop(self.sender);
        ended(&mut self.thread).await
    }

    /// Waits until nothing is written any more, and removes what was.
    async fn discard(self) {
        // A thread that has failed has removed it.
        if let Ok(ingest) = self.finish().await {
            ingest.discard();
        }
    }
}

/// Waits for the thread, unless its end was told before: there is no second one.
async fn ended(
    thread: &mut Option<JoinHandle<Result<Box<Ingest>, LayoutError>>>,
) -> Result<Box<Ingest>, Failure> {
    let Some(handle) = thread else { return Err(cancelled()) };
    let ended = handle.await;
    // Only now: this wait may have been dropped, and then the next one is for the same end.
    *thread = None;
    match ended {
        Ok(written) => Ok(written?),
        Err(error) => Err(Failure::Unavailable(error.to_string())),
    }
}

fn cancelled() -> Failure {
    Failure::Unavailable("the write was cancelled".to_owned())
}
