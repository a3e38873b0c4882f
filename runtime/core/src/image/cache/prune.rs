//! What leaves the cache, and when.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::store::Shared;

/// Memos are small, but a file that is rebuilt all day leaves one each time.
const MOST_MEMOS: usize = 10_000;

/// A temporary file older than this belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);

/// How often a use is noted in the file's times, for pruning.
const NOTE_USE_EVERY: Duration = Duration::from_secs(24 * 3600);

impl Shared {
    /// Brings the cache back under its size, least recently used first. Runs after a compilation,
    /// never on a warm start.
    pub(super) fn prune(&self) {
        let mut entries = Vec::new();
        let mut bytes = 0;
        let now = SystemTime::now();
        for entry in fs::read_dir(self.code_folder()).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let used = last_use(&metadata);
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                if now.duration_since(used).is_ok_and(|age| age > STALE) {
                    let _ = fs::remove_file(entry.path());
                }
                continue;
            }
            bytes += metadata.len();
            entries.push((used, metadata.len(), entry.path()));
        }
        if bytes > self.most_bytes {
            entries.sort();
            for (_, size, path) in entries {
                // Further down than the limit, so that not every compilation has to prune.
                if bytes <= self.most_bytes / 10 * 9 {
                    break;
                }
                let free = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
                if free && fs::remove_file(&path).is_ok() {
                    bytes -= size;
                }
            }
        }
        self.sweep_memos();
    }

    fn sweep_memos(&self) {
        let memos: Vec<PathBuf> = fs::read_dir(self.folder.join("memo"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        let crowded = memos.len() > MOST_MEMOS;
        let code = self.code_folder();
        for memo in memos {
            let dangling = fs::read_link(&memo)
                .is_ok_and(|target| !fs::exists(code.join(target)).unwrap_or(true));
            if dangling || crowded {
                let _ = fs::remove_file(memo);
            }
        }
    }
}

fn last_use(metadata: &fs::Metadata) -> SystemTime {
    let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    metadata.accessed().map_or(modified, |accessed| accessed.max(modified))
}

/// Access times cannot be relied upon (`noatime`), so a use sets them itself, once a day.
pub(super) fn note_use(file: &File) {
    let now = SystemTime::now();
    let old = file.metadata().is_ok_and(|metadata| {
        now.duration_since(last_use(&metadata)).is_ok_and(|age| age > NOTE_USE_EVERY)
    });
    if old {
        let _ = file.set_times(fs::FileTimes::new().set_accessed(now).set_modified(now));
    }
}
