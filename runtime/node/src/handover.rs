//! What one process tells another that it starts: in memory, since Secrets in it must not lie on a disk.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;

use rustix::fs::MemfdFlags;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A message that every process which is started while this is there can read.
#[derive(Debug)]
pub struct Handover {
    memory: File,
}

impl Handover {
    /// # Errors
    /// The system gives no memory.
    pub fn new(message: &impl Serialize) -> io::Result<Self> {
        let text = serde_json::to_vec(message)?;
        let mut memory = File::from(rustix::fs::memfd_create("pod", MemfdFlags::empty())?);
        memory.write_all(&text)?;
        memory.seek(SeekFrom::Start(0))?;
        Ok(Self { memory })
    }

    /// Where such a process finds it.
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.memory.as_raw_fd())
    }

    /// Reads what is at `path` and empties it: the Secrets in it must not stay in memory that a compiling
    /// child inherits.
    ///
    /// # Errors
    /// There is no such file, or it holds something else.
    pub fn take<Message: DeserializeOwned>(path: &Path) -> io::Result<Box<Message>> {
        let mut file = File::options().read(true).write(true).open(path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        file.set_len(0)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_once() {
        let handover = Handover::new(&["a", "b"]).unwrap();
        let path = handover.path();
        assert_eq!(*Handover::take::<Vec<String>>(Path::new(&path)).unwrap(), ["a", "b"]);
        assert!(Handover::take::<Vec<String>>(Path::new(&path)).is_err(), "it is empty");
    }
}
