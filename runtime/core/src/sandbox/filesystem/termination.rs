//! What a container left as its last words: the termination message.
//!
//! Rule: `terminationMessagePath` and `terminationMessagePolicy`. The kubelet takes at most the
//! last 4096 bytes of the file; with `FallbackToLogsOnError`, an empty file and an exit code other
//! than 0, it takes the end of the log: 80 lines, and of these the last 2048 bytes.

use std::fs::Metadata;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::mount::Mount;
use super::subpath::{Target, open_below};
use crate::logs::{ReadOptions, read};

/// The most bytes of a termination message file that are looked at.
pub const MAX_TERMINATION_MESSAGE: u64 = 4096;
const MAX_LOG_MESSAGE: usize = 2048;
const MAX_LOG_LINES: u64 = 80;

/// Where a container leaves its termination message.
#[derive(Debug, Clone)]
pub struct TerminationMessage {
    /// The mount that holds the file.
    mount: Mount,
    /// The file in it.
    file: PathBuf,
    falls_back_to_logs: bool,
    /// The file as it was before the run: in a volume it may be of an earlier one, and a runtime
    /// would have mounted a new, empty file over it.
    before: Option<Version>,
}

/// Tells a file that was written from one that was not.
type Version = (u64, u64, i64, i64);

impl TerminationMessage {
    pub(crate) fn new(mount: Mount, file: PathBuf, falls_back_to_logs: bool) -> Self {
        let mut message = TerminationMessage { mount, file, falls_back_to_logs, before: None };
        // A root is new: what is there is what was made for this run.
        if message.mount.guest_path != "/" {
            message.before = message.open().and_then(|file| Ok(version(&file.metadata()?))).ok();
        }
        message
    }

    /// The message of a run that ended with `exit_code`, whose log file is `log`; empty if it left
    /// none.
    ///
    /// A file that is no plain file, that leads out of its mount or cannot be read is no message:
    /// it is the guest's, and its end must not fail over it.
    #[must_use]
    pub fn read(&self, exit_code: i32, log: Option<&Path>) -> String {
        let message = self.read_file().unwrap_or_default();
        if !message.is_empty() || !self.falls_back_to_logs || exit_code == 0 {
            return String::from_utf8_lossy(&message).into_owned();
        }
        log.map(last_words).unwrap_or_default()
    }

    fn read_file(&self) -> io::Result<Vec<u8>> {
        let mut file = self.open()?;
        let metadata = file.metadata()?;
        if self.before == Some(version(&metadata)) {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(metadata.len().saturating_sub(MAX_TERMINATION_MESSAGE)))?;
        let mut message = Vec::new();
        file.take(MAX_TERMINATION_MESSAGE).read_to_end(&mut message)?;
        Ok(message)
    }

    fn open(&self) -> io::Result<std::fs::File> {
        let folder = Dir::open_ambient_dir(self.mount.host_path(), ambient_authority())?;
        match open_below(&folder, &self.file)? {
            Target::File(file) => Ok(file),
            Target::Folder(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }
}

fn version(metadata: &Metadata) -> Version {
    (metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn last_words(log: &Path) -> String {
    let mut words = Vec::new();
    let options = ReadOptions { tail: Some(MAX_LOG_LINES), ..ReadOptions::default() };
    let complete = read(log, &options, &mut |_, text| {
        words.extend_from_slice(text);
        let excess = words.len().saturating_sub(MAX_LOG_MESSAGE);
        words.drain(..excess);
        Ok(())
    });
    if let Err(error) = complete {
        tracing::debug!("no termination message from {}: {error}", log.display());
    }
    String::from_utf8_lossy(&words).into_owned()
}
