//! What leaves the cache, and when.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::improve::sweep_marks;
use super::store::Shared;

/// Memos are small, but a file that is rebuilt all day leaves one each time.
const MOST_MEMOS: usize = 10_000;

/// A temporary folder older than this belongs to nobody.
const STALE: Duration = Duration::from_secs(3600);

/// How often a use is noted in the file's times, for pruning.
const NOTE_USE_EVERY: Duration = Duration::from_secs(24 * 3600);

/// What the machine code in a cache takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeUsage {
    /// How many files there are.
    pub files: u64,
    /// What they take on the disk.
    pub bytes: u64,
    /// How many of them some process has mapped.
    pub files_in_use: u64,
    /// What the others take.
    pub unused_bytes: u64,
}

impl CodeUsage {
    /// Measures the cache in `folder`, which need not exist.
    pub fn of(folder: &Path) -> Self {
        let locked = locked_inodes();
        let mut usage = Self::default();
        for (_, metadata) in code_files(folder) {
            let bytes = size(&metadata);
            usage.files += 1;
            usage.bytes += bytes;
            // Not by taking its lock: a Pod that starts would take that for a removal, and compile.
            if locked.contains(&metadata.ino()) {
                usage.files_in_use += 1;
            } else {
                usage.unused_bytes += bytes;
            }
        }
        usage
    }
}

/// Removes from the cache in `folder` the code that nobody uses or has used for so long; answers how many
/// bytes that were. Others may use the cache meanwhile.
pub fn remove_unused_code(folder: &Path, unused_for: Duration) -> u64 {
    let now = SystemTime::now();
    let mut freed = 0;
    for (path, metadata) in code_files(folder) {
        let is_old = unused_for.is_zero()
            || now.duration_since(last_use(&metadata)).is_ok_and(|age| age >= unused_for);
        if is_old && remove_if_free(&path) {
            freed += size(&metadata);
        }
    }
    sweep_memos(folder);
    sweep_marks(folder);
    freed
}

fn code_files(folder: &Path) -> Vec<(PathBuf, Metadata)> {
    let entries = fs::read_dir(folder.join("code")).into_iter().flatten().flatten();
    let code = entries.filter(|entry| !is_temporary(entry));
    code.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))).collect()
}

fn is_temporary(entry: &fs::DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn remove_if_free(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok() && fs::remove_file(path).is_ok())
}

fn size(metadata: &Metadata) -> u64 {
    metadata.blocks() * 512
}

/// The files of this machine that some process has locked, as the kernel lists them.
fn locked_inodes() -> HashSet<u64> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let inode = |line: &str| {
        // `1: FLOCK  ADVISORY  READ 1234 fd:01:5678 0 EOF`
        let file = line.split_whitespace().find(|word| word.split(':').count() == 3)?;
        file.rsplit(':').next()?.parse().ok()
    };
    locks.lines().filter_map(inode).collect()
}

fn sweep_memos(folder: &Path) {
    let memos: Vec<PathBuf> = fs::read_dir(folder.join("memo"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let crowded = memos.len() > MOST_MEMOS;
    let code = folder.join("code");
    for memo in memos {
        let dangling =
            fs::read_link(&memo).is_ok_and(|target| !fs::exists(code.join(target)).unwrap_or(true));
        if dangling || crowded {
            let _ = fs::remove_file(memo);
        }
    }
}

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
            if is_temporary(&entry) {
                if now.duration_since(used).is_ok_and(|age| age > STALE) {
                    let _ = fs::remove_dir_all(entry.path());
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
                if remove_if_free(&path) {
                    bytes -= size;
                }
            }
        }
        sweep_memos(&self.folder);
        sweep_marks(&self.folder);
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
