//! Starting the process of a Pod: one that stays when this one ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmpod::pod::Folders;

use super::lock::ProcessLock;
use super::process::Envelope;
use crate::handover::Handover;

/// How many bytes of its words a process may find there when it is started anew.
const KEPT_WORDS: u64 = 1 << 20;

/// A program that can be the process of a Pod, and that of Services.
#[derive(Debug, Clone)]
pub struct Starter {
    /// The program.
    pub program: PathBuf,
    /// Its words before the one that says what it is to be.
    pub arguments: Vec<std::ffi::OsString>,
    /// The word for the process of a Pod; the file that it is to read follows.
    pub pod: &'static str,
    /// The same for the process of Services.
    pub services: &'static str,
}

/// Files that are meant for one process must not get into another that is started meanwhile.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// As long as it is there, no other process is started.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Starter {
    /// Starts the process of a Pod, which takes over `lock`. It has begun when this returns, no more.
    ///
    /// # Errors
    /// The system gives no process, or no memory for what it must know.
    pub(super) fn start(
        &self,
        folders: &Folders,
        envelope: &mut Envelope,
        lock: ProcessLock,
    ) -> io::Result<()> {
        let _alone = alone();
        envelope.lock = lock.inherit()?;
        let handover = Handover::new(envelope)?;
        let spawned = self.spawn(self.pod, &handover, words(folders, &envelope.uid())?);
        // While nobody else starts one, who would inherit it.
        drop(lock);
        spawned
    }

    /// Starts a process, whose words go to a file; the caller is [`alone`].
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn spawn(&self, verb: &str, handover: &Handover, words: File) -> io::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).arg(verb).arg(handover.path());
        // A folder that the user removes, or a disk that is to be taken out, is not ours to hold.
        command.current_dir("/").stdin(Stdio::null());
        command.stdout(words.try_clone()?).stderr(words);
        // Nobody waits for it: it stays when this process ends, and is init's from then on.
        command.spawn().map(drop)
    }
}

/// What the process itself says, as distinct from containers.
pub(super) fn words(folders: &Folders, uid: &str) -> io::Result<File> {
    let path = folders.processes().join(format!("{uid}.log"));
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.len() > KEPT_WORDS {
        file.set_len(0)?;
    }
    Ok(file)
}
