//! Takes a guest's bytes, makes lines of them, and writes them to the log file of its run.
//!
//! Each write of a guest becomes at most one write of the file (more only past 64 KiB), with no
//! buffer in between: what a guest has ended with a newline survives a `kill -9` of this process.
//! A line without end waits in memory until it ends, is 16 KiB long or the run is over.
//!
//! A log that cannot be written never stops a guest: lines are lost, counted and said once, and
//! each further write tries again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use jiff::Timestamp;

use super::format::Formatter;
use super::line::{LogEntry, LogStream, Piece};
use super::rotate::{Rotation, rotate};
use super::sink::{LogLine, LogSink};

/// The longest text in one entry, in bytes: containerd's `max_container_log_line_size`.
pub const MAX_LINE: usize = 16 * 1024;

/// Lines of one guest write are gathered up to this many bytes.
const BATCH: usize = 64 * 1024;

/// Tells the time for log lines: the Pod's clock.
pub trait LogClock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

impl<Now: Fn() -> Timestamp + Send + Sync> LogClock for Now {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// What a [`LogWriter`] needs to know.
pub struct LogWriterOptions {
    /// The container's name, for the sink.
    pub container: String,
    /// The file of this run, see [`LogPath::of_run`](super::LogPath::of_run). Its folder is made
    /// with it.
    pub path: PathBuf,
    /// When to begin a new file.
    pub rotation: Rotation,
    /// The clock of the time stamps.
    pub clock: Arc<dyn LogClock>,
    /// Who else sees the lines.
    pub sink: Option<Arc<dyn LogSink>>,
    /// Called once, when the file cannot be made or begins to lose lines: a full disk must not be
    /// silent. The log is locked meanwhile, so it must only hand over.
    pub on_failure: Box<dyn Fn(&LogFailure) + Send + Sync>,
}

/// Why lines of a container are not in its log file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot write the log {}: {reason}", path.display())]
pub struct LogFailure {
    /// The log file.
    pub path: PathBuf,
    /// The operating system's words for what failed first.
    pub reason: String,
    /// Entries lost so far.
    pub lost: u64,
}

/// The log of one run of a container; both streams write to it. Cloning shares it.
#[derive(Clone)]
pub struct LogWriter {
    shared: Arc<Shared>,
}

struct Shared {
    container: String,
    clock: Arc<dyn LogClock>,
    sink: Option<Arc<dyn LogSink>>,
    on_failure: Box<dyn Fn(&LogFailure) + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    file: LogFile,
    formatter: Formatter,
    /// Entries on their way to the file.
    batch: Batch,
    unended_stdout: Vec<u8>,
    unended_stderr: Vec<u8>,
}

#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    entries: u64,
}

struct LogFile {
    path: PathBuf,
    rotation: Rotation,
    file: Option<File>,
    /// Bytes in the file, all of whole lines.
    size: u64,
    /// The size that asks for a new file. Moves on when a rotation fails, so that a folder without
    /// write permission does not cost a rename a line.
    rotate_at: u64,
    last_rotation: Option<Timestamp>,
    failure: Option<LogFailure>,
}

impl LogWriter {
    /// The log of a run. Its file is made by [`make_file`](Self::make_file) or the first write.
    #[must_use]
    pub fn new(options: LogWriterOptions) -> Self {
        let LogWriterOptions { container, path, rotation, clock, sink, on_failure } = options;
        let file = LogFile {
            path,
            rotation,
            file: None,
            size: 0,
            rotate_at: rotation.max_size,
            last_rotation: None,
            failure: None,
        };
        let state = State {
            file,
            formatter: Formatter::default(),
            batch: Batch::default(),
            unended_stdout: Vec::new(),
            unended_stderr: Vec::new(),
        };
        let state = Mutex::new(state);
        LogWriter { shared: Arc::new(Shared { container, clock, sink, on_failure, state }) }
    }

    /// Makes the file, if no write does: a run that prints nothing has a log too.
    ///
    /// This does not fail: where the file cannot be made, the guest runs without, and
    /// `on_failure` hears why.
    pub fn make_file(&self) {
        // Locked is it by a write, which makes the file itself.
        let Ok(mut state) = self.shared.state.try_lock() else { return };
        let file = &mut state.file;
        if file.file.is_none()
            && let Err(error) = file.open()
            && let Some(failure) = file.failed(&error, 0)
        {
            (self.shared.on_failure)(&failure);
        }
    }

    /// Takes what the guest wrote. Blocks only for the file; see [`poll_ready`](Self::poll_ready).
    pub fn write(&self, stream: LogStream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        let time = self.shared.clock.now();
        if let Some(sink) = &self.shared.sink {
            sink.raw(&self.shared.container, stream, bytes);
        }
        let mut run = Run { shared: &self.shared, state: &mut state, stream, time };
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            run.line(&rest[..end]);
            rest = &rest[end + 1..];
        }
        run.text(rest);
        run.flush();
    }

    /// Writes what has not ended with a newline, as partial entries. For the end of a run.
    pub fn finish(&self) {
        let mut state = self.shared.lock();
        let time = self.shared.clock.now();
        for stream in [LogStream::Stdout, LogStream::Stderr] {
            let mut run = Run { shared: &self.shared, state: &mut state, stream, time };
            if !run.unended().is_empty() {
                run.end_line(Piece::Partial);
            }
            run.flush();
        }
    }

    /// Ready while the sink has room; a guest's write should wait for it.
    pub fn poll_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        match &self.shared.sink {
            Some(sink) => sink.poll_ready(context),
            None => Poll::Ready(()),
        }
    }

    /// The first failure of the file, with the entries lost until now.
    #[must_use]
    pub fn failure(&self) -> Option<LogFailure> {
        self.shared.lock().file.failure.clone()
    }

    /// The file of this run.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.shared.lock().file.path.clone()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A sink that panics leaves whole entries behind; the next write carries them on.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One write of a guest on its way through.
struct Run<'run> {
    shared: &'run Shared,
    state: &'run mut State,
    stream: LogStream,
    time: Timestamp,
}

impl Run<'_> {
    fn unended(&mut self) -> &mut Vec<u8> {
        match self.stream {
            LogStream::Stdout => &mut self.state.unended_stdout,
            LogStream::Stderr => &mut self.state.unended_stderr,
        }
    }

    /// Takes the rest of a line, all of it.
    fn line(&mut self, text: &[u8]) {
        if self.unended().is_empty() && text.len() <= MAX_LINE {
            self.entry(text, Piece::Full);
        } else {
            self.text(text);
            self.end_line(Piece::Full);
        }
    }

    /// Adds text to the line; whatever exceeds an entry leaves as partial ones.
    fn text(&mut self, mut text: &[u8]) {
        loop {
            let room = MAX_LINE - self.unended().len();
            if text.len() <= room {
                self.unended().extend_from_slice(text);
                return;
            }
            let (piece, rest) = text.split_at(room);
            self.unended().extend_from_slice(piece);
            self.end_line(Piece::Partial);
            text = rest;
        }
    }

    fn end_line(&mut self, piece: Piece) {
        let mut text = std::mem::take(self.unended());
        self.entry(&text, piece);
        text.clear();
        *self.unended() = text;
    }

    fn entry(&mut self, text: &[u8], piece: Piece) {
        let State { formatter, batch, .. } = &mut *self.state;
        let entry = LogEntry { time: self.time, stream: self.stream, piece, text };
        formatter.append(&mut batch.bytes, &entry);
        batch.entries += 1;
        if let Some(sink) = &self.shared.sink {
            let container = &self.shared.container;
            sink.line(&LogLine { container, stream: self.stream, piece, bytes: text });
        }
        if self.state.batch.bytes.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let State { file, batch, .. } = &mut *self.state;
        if batch.entries == 0 {
            return;
        }
        let first_failure = file.append(batch, self.time);
        batch.bytes.clear();
        // A guest that once wrote long lines does not keep their memory for ever.
        batch.bytes.shrink_to(BATCH);
        batch.entries = 0;
        if let Some(failure) = first_failure {
            (self.shared.on_failure)(&failure);
        }
    }
}

impl LogFile {
    fn open(&mut self) -> io::Result<()> {
        let open =
            |path: &Path| OpenOptions::new().append(true).create(true).mode(0o640).open(path);
        let file = match open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = self.path.parent().unwrap_or(Path::new("."));
                fs::create_dir_all(folder)?;
                open(&self.path)?
            }
            opened => opened?,
        };
        self.size = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// Writes a batch; answers with the failure if it is the first.
    fn append(&mut self, batch: &Batch, now: Timestamp) -> Option<LogFailure> {
        match self.try_append(&batch.bytes, now) {
            Ok(()) => None,
            Err(error) => self.failed(&error, batch.entries),
        }
    }

    fn try_append(&mut self, bytes: &[u8], now: Timestamp) -> io::Result<()> {
        let length = u64::try_from(bytes.len()).expect("a length fits 64 bits");
        if self.file.is_some() && self.size > 0 && self.size + length > self.rotate_at {
            self.rotate(now);
        }
        if self.file.is_none() {
            self.open()?;
        }
        let file = self.file.as_mut().expect("opened above");
        if let Err(error) = file.write_all(bytes) {
            // A full disk may have taken half a line. Shrinking needs no space.
            if file.set_len(self.size).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        self.size += length;
        Ok(())
    }

    fn rotate(&mut self, now: Timestamp) {
        match rotate(&self.path, self.rotation, now, self.last_rotation) {
            Ok(stamp) => {
                self.last_rotation = Some(stamp);
                self.file = None;
                self.rotate_at = self.rotation.max_size;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Somebody removed the log: begin a new one.
                self.file = None;
                self.rotate_at = self.rotation.max_size;
            }
            Err(error) => {
                tracing::warn!("cannot rotate the log {}: {error}", self.path.display());
                self.rotate_at = self.size.saturating_add(self.rotation.max_size);
            }
        }
    }

    fn failed(&mut self, error: &io::Error, lost: u64) -> Option<LogFailure> {
        if let Some(failure) = &mut self.failure {
            failure.lost += lost;
            return None;
        }
        let failure = LogFailure { path: self.path.clone(), reason: error.to_string(), lost };
        self.failure = Some(failure.clone());
        Some(failure)
    }
}
