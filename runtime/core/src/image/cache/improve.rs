//! Code that was made quickly, and better code for it.

use std::fs::{self, File};
use std::path::PathBuf;

use super::error::CacheError;
use super::folder::create_folder;
use super::source::absolute;
use super::store::{Code, Shared};
use super::workplace::Workplace;
use crate::image::compile::Improvement;
use crate::image::file::ImageFile;

impl Shared {
    fn quick_folder(&self) -> PathBuf {
        self.folder.join("quick")
    }

    /// Notes that the code of this name is one that was made quickly. Before it is there: a mark without its
    /// code does no harm.
    pub(super) fn mark_quick(&self, name: &str) -> Result<(), CacheError> {
        create_folder(&self.quick_folder())?;
        let path = self.quick_folder().join(name);
        let made = File::create(&path).map(drop);
        made.map_err(|source| CacheError::Io { path, source })
    }

    /// Has better code made for `image` if it needs it and nobody is at it. The next start has it.
    pub(super) fn improve(&self, image: &ImageFile, code: &Code) {
        let ImageFile::Path(image) = image else { return };
        let Some(name) = code.file.file_name() else { return };
        let mark = self.quick_folder().join(name);
        if !mark.exists() {
            return;
        }
        let lock = self.folder.join("locks").join(format!("better-{}", &code.digest[..2]));
        let is_free = File::options().create(true).append(true).open(&lock);
        if !is_free.is_ok_and(|lock| lock.try_lock().is_ok()) {
            return;
        }
        let Ok(workplace) = Workplace::new(&self.code_folder()) else { return };
        // Behind everything else, as what a guest wants compiled.
        let request = self.request(absolute(image), workplace.path("code"), true);
        let (code, digest) = (code.file.clone(), code.digest.clone());
        let improvement = Improvement { request, digest, code, mark, lock };
        if self.compiler.improve(improvement) {
            workplace.hand_over();
        }
    }

    /// Removes marks of code that is gone.
    pub(super) fn sweep_marks(&self) {
        for mark in fs::read_dir(self.quick_folder()).into_iter().flatten().flatten() {
            if !self.code_folder().join(mark.file_name()).exists() {
                let _ = fs::remove_file(mark.path());
            }
        }
    }
}
