//! Gives the log of a run back: as `kubectl logs` asks for it, and as it grows.
//!
//! Both go through all files of the run, oldest first. A [`Follower`] looks at the file a few
//! times a second instead of watching it: that works on every file system, and a look that finds
//! nothing is two system calls. It stays with a file that was renamed until it has read its end.
//!
//! Lines that are not entries of a CRI log (half a line after a crash, say) are passed over.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::format::Formatter;
use super::line::{LogEntry, LogStream, Piece};
use super::rotate::rotated_files;

/// How often a [`Follower`] looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longer lines are not ours: an entry has 16 KiB of text and some fifty bytes before it.
const LONGEST_LINE: usize = 1024 * 1024;

/// What of a log to give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Only the last so many entries of the files.
    pub tail: Option<u64>,
    /// Only entries from this time on.
    pub since: Option<Since>,
    /// Only so many bytes of output; the last entry is cut.
    pub limit_bytes: Option<u64>,
    /// Put the time in front of each line.
    pub timestamps: bool,
    /// Only one of the two streams.
    pub stream: Option<LogStream>,
}

/// From when on entries are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// From a point in time.
    Time(Timestamp),
    /// From so long before now.
    Ago {
        /// The time now.
        now: Timestamp,
        /// How long before it.
        duration: Duration,
    },
}

impl Since {
    fn time(self) -> Timestamp {
        match self {
            Since::Time(time) => time,
            Since::Ago { now, duration } => now.checked_sub(duration).unwrap_or(Timestamp::MIN),
        }
    }
}

/// Gives the log of the run whose file is `current`, and its rotated files, to `output`.
///
/// A line that was split into entries comes out whole again. No log file is an empty log.
///
/// # Errors
/// A file cannot be read, or `output` failed.
pub fn read(
    current: &Path,
    options: &ReadOptions,
    output: &mut dyn FnMut(LogStream, &[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut follower = Follower::open(current, options.clone())?;
    follower.read_more(output)?;
    Ok(())
}

/// Reads a log to its end, and on when it has grown, over rotations.
#[derive(Debug)]
pub struct Follower {
    current: PathBuf,
    filter: Filter,
    /// Files before the current one that are still to be read, last one first.
    behind: Vec<OpenFile>,
    /// The file that is read; none before the log exists.
    file: Option<OpenFile>,
}

impl Follower {
    /// Opens the log of the run whose file is `current`.
    ///
    /// # Errors
    /// A file cannot be read. A log that does not exist yet is empty.
    pub fn open(current: &Path, options: ReadOptions) -> io::Result<Self> {
        let mut files = open_files(current, None)?;
        if let Some(lines) = options.tail {
            skip_to_tail(&mut files, lines)?;
        }
        files.reverse();
        let file = files.pop();
        Ok(Follower {
            current: current.to_owned(),
            filter: Filter::new(&options),
            behind: files,
            file,
        })
    }

    /// Gives all that is there now; answers whether more may follow (no byte limit was reached).
    ///
    /// # Errors
    /// A file cannot be read, or `output` failed.
    pub fn read_more(
        &mut self,
        output: &mut dyn FnMut(LogStream, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        loop {
            if let Some(file) = &mut self.file
                && !file.read_entries(&mut self.filter, output)?
            {
                return Ok(false);
            }
            if !self.next_file()? {
                return Ok(true);
            }
        }
    }

    /// Gives what is there and what comes, until `ended` is cancelled (the run is over: what is
    /// there then is still given) or the byte limit is reached.
    ///
    /// # Errors
    /// A file cannot be read, or `output` failed.
    ///
    /// # Cancel safety
    /// Safe: entries are given between waits, each once.
    pub async fn follow(
        &mut self,
        ended: &CancellationToken,
        output: &mut (dyn FnMut(LogStream, &[u8]) -> io::Result<()> + Send),
    ) -> io::Result<()> {
        loop {
            // Looked at before reading: what is written before the end is in the files by then.
            let last = ended.is_cancelled();
            if !self.read_more(output)? || last {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = ended.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Goes on to the file after the one that has been read; answers whether there is one.
    fn next_file(&mut self) -> io::Result<bool> {
        if let Some(next) = self.behind.pop() {
            self.file = Some(next);
            return Ok(true);
        }
        let latest = match fs::metadata(&self.current) {
            Ok(metadata) => Some(identity(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let reading = self.file.as_ref().map(|file| file.identity);
        if latest.is_none() || latest == reading {
            return Ok(false);
        }
        let mut files = open_files(&self.current, reading)?;
        if let Some(reading) = reading
            && files.first().is_some_and(|file| file.identity == reading)
        {
            // The writer may have added to the old file after our last look.
            let old = self.file.as_mut().expect("it has an identity");
            let grown = old.has_grown()?;
            files.remove(0);
            files.reverse();
            self.behind = files;
            return if grown { Ok(true) } else { self.next_file() };
        }
        files.reverse();
        self.file = files.pop();
        self.behind = files;
        Ok(self.file.is_some())
    }
}

type Identity = (u64, u64);

fn identity(metadata: &fs::Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

/// The files of a run from the one called `from` (or the oldest) on.
fn open_files(current: &Path, from: Option<Identity>) -> io::Result<Vec<OpenFile>> {
    let mut files: Vec<OpenFile> = Vec::new();
    let mut paths = rotated_files(current)?;
    paths.push(current.to_owned());
    for path in paths {
        let file = match OpenFile::open(&path) {
            Ok(file) => file,
            // Removed or renamed since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if files.last().is_none_or(|last| last.identity != file.identity) {
            files.push(file);
        }
    }
    if let Some(from) = from
        && let Some(position) = files.iter().position(|file| file.identity == from)
    {
        files.drain(..position);
    }
    Ok(files)
}

/// Moves the files' positions so that `lines` lines are left; files that are not needed go.
fn skip_to_tail(files: &mut Vec<OpenFile>, mut lines: u64) -> io::Result<()> {
    for position in (0..files.len()).rev() {
        let found = files[position].seek_to_tail(lines)?;
        lines -= found.min(lines);
        if lines == 0 {
            files.drain(..position);
            break;
        }
    }
    Ok(())
}

#[derive(Debug)]
struct OpenFile {
    identity: Identity,
    reader: BufReader<File>,
    /// The start of a line whose end is not written yet.
    line: Vec<u8>,
}

impl OpenFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let identity = identity(&file.metadata()?);
        Ok(OpenFile { identity, reader: BufReader::new(file), line: Vec::new() })
    }

    /// Gives the entries from here to the end; answers `false` when the byte limit is reached.
    fn read_entries(
        &mut self,
        filter: &mut Filter,
        output: &mut dyn FnMut(LogStream, &[u8]) -> io::Result<()>,
    ) -> io::Result<bool> {
        loop {
            if filter.is_exhausted() {
                return Ok(false);
            }
            let room = LONGEST_LINE.saturating_sub(self.line.len()).max(1);
            let room = u64::try_from(room).expect("a length fits 64 bits");
            let read = (&mut self.reader).take(room).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(true);
            }
            if self.line.last() == Some(&b'\n') {
                if let Ok(entry) = LogEntry::parse(&self.line) {
                    filter.give(&entry, output)?;
                }
                self.line.clear();
            } else if self.line.len() >= LONGEST_LINE {
                self.line.clear();
            }
        }
    }

    fn has_grown(&mut self) -> io::Result<bool> {
        Ok(!self.reader.fill_buf()?.is_empty())
    }

    /// Moves to the start of the last `lines` lines; answers how many there are.
    fn seek_to_tail(&mut self, lines: u64) -> io::Result<u64> {
        let file = self.reader.get_mut();
        let end = file.seek(SeekFrom::End(0))?;
        let mut block = vec![0; 64 * 1024];
        let mut start = end;
        let mut found = 0;
        let mut tail = 0;
        'search: while start > 0 {
            let length = start.min(64 * 1024);
            start -= length;
            let length = usize::try_from(length).expect("at most a block");
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut block[..length])?;
            for position in memchr::memrchr_iter(b'\n', &block[..length]) {
                // A line end closes the line before it: one more than asked for begins the tail.
                if found == lines {
                    tail = start + u64::try_from(position).expect("at most a block") + 1;
                    break 'search;
                }
                found += 1;
            }
        }
        self.reader.seek(SeekFrom::Start(tail))?;
        Ok(found)
    }
}

/// Which entries come out, and in what form.
#[derive(Debug)]
struct Filter {
    since: Option<Timestamp>,
    stream: Option<LogStream>,
    timestamps: bool,
    remaining: Option<u64>,
    formatter: Formatter,
    /// The last entry given of each stream was a partial one.
    goes_on: [bool; 2],
    text: Vec<u8>,
}

impl Filter {
    fn new(options: &ReadOptions) -> Self {
        Filter {
            since: options.since.map(Since::time),
            stream: options.stream,
            timestamps: options.timestamps,
            remaining: options.limit_bytes,
            formatter: Formatter::default(),
            goes_on: [false; 2],
            text: Vec::new(),
        }
    }

    fn is_exhausted(&self) -> bool {
        self.remaining == Some(0)
    }

    fn give(
        &mut self,
        entry: &LogEntry<'_>,
        output: &mut dyn FnMut(LogStream, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.since.is_some_and(|since| entry.time < since)
            || self.stream.is_some_and(|stream| entry.stream != stream)
        {
            return Ok(());
        }
        self.text.clear();
        let goes_on = &mut self.goes_on[usize::from(entry.stream == LogStream::Stderr)];
        if self.timestamps && !*goes_on {
            self.formatter.append_time(&mut self.text, entry.time);
            self.text.push(b' ');
        }
        self.text.extend_from_slice(entry.text);
        *goes_on = entry.piece == Piece::Partial;
        if !*goes_on {
            self.text.push(b'\n');
        }
        if let Some(remaining) = &mut self.remaining {
            let keep = usize::try_from(*remaining).unwrap_or(usize::MAX).min(self.text.len());
            self.text.truncate(keep);
            *remaining -= u64::try_from(keep).expect("a length fits 64 bits");
        }
        output(entry.stream, &self.text)
    }
}
