//! Code that was made quickly, and better code for it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::error::CacheError;
use super::folder::create_folder;
use super::source::absolute;
use super::store::{Code, Shared};
use super::workplace::Workplace;
use crate::image::compile::{Improvement, Request};
use crate::image::file::ImageFile;

/// When a machine that could not make better code is tried again.
const AGAIN_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Of the thread that begins it and waits for its end.
const STACK: usize = 128 << 10;

impl Shared {
    fn quick_folder(&self) -> PathBuf {
        self.folder.join("quick")
    }

    /// Where it is noted that the code of this name was made quickly.
    pub(super) fn mark(&self, name: &str) -> PathBuf {
        self.quick_folder().join(name)
    }

    pub(super) fn mark_quick(&self, name: &str) -> Result<(), CacheError> {
        create_folder(&self.quick_folder())?;
        let path = self.mark(name);
        let made = File::create(&path).map(drop);
        made.map_err(|source| CacheError::Io { path, source })
    }

    /// Has better code made for `image` if it needs it and nobody is at it. The next start has it.
    pub(super) fn improve(&self, image: &ImageFile, code: &Code) {
        let ImageFile::Path(image) = image else { return };
        let name = code.file.file_name().and_then(|name| name.to_str());
        let Some(mark) = name.map(|name| self.mark(name)) else { return };
        if !is_due(&mark) {
            return;
        }
        let (shared, image, code) = (self.clone(), absolute(image), code.clone());
        // Beside the guests: to start a process takes time, and no zombie is to stay of it.
        let thread = thread::Builder::new().name("improve".to_owned()).stack_size(STACK);
        if let Err(error) = thread.spawn(move || shared.improve_aside(image, &code, &mark)) {
            tracing::debug!("better code is not made: {error}");
        }
    }

    fn improve_aside(&self, image: PathBuf, code: &Code, mark: &Path) {
        let locks = absolute(&self.folder.join("locks"));
        let lock = locks.join(format!("better-{}", &code.digest[..2]));
        let opened = File::options().create(true).append(true).open(&lock);
        if !opened.is_ok_and(|lock| lock.try_lock().is_ok()) {
            return;
        }
        let Ok(workplace) = Workplace::new(&absolute(&self.code_folder())) else { return };
        // With the time that an image may take, and behind everything else.
        let request = self.request(image, workplace.path("code"), false);
        self.compiler.improve(Improvement {
            request: Request { behind: true, ..request },
            digest: code.digest.clone(),
            code: absolute(&code.file),
            mark: absolute(mark),
            lock,
            turn: locks.join("better"),
        });
    }
}

/// Whether there is a mark, and no failure of the machine that was noted there a short time ago.
fn is_due(mark: &Path) -> bool {
    fs::metadata(mark).is_ok_and(|mark| {
        let age = mark.modified().ok().and_then(|modified| modified.elapsed().ok());
        mark.len() == 0 || age.is_some_and(|age| age >= AGAIN_AFTER)
    })
}

/// Removes marks of code that is gone from the cache in `folder`.
pub(super) fn sweep_marks(folder: &Path) {
    for mark in fs::read_dir(folder.join("quick")).into_iter().flatten().flatten() {
        if !folder.join("code").join(mark.file_name()).exists() {
            let _ = fs::remove_file(mark.path());
        }
    }
}
