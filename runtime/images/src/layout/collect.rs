//! Removing what nothing leads to, and, on a disk that fills up, images that nobody uses.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::error::LayoutError;
use super::folder::at;
use super::ingest::{is_same_file, remove_if_there};
use super::limits::MOST_MANIFEST_BYTES;
use super::store::Layout;
use super::threshold::{Candidate, Disk, Thresholds, images_to_remove};
use crate::digest::{Algorithm, Digest};

/// A partial file that nobody has written to for so long is gone on with by nobody.
const STALE_PARTIAL: Duration = Duration::from_secs(24 * 3600);

/// Which images may go.
#[derive(Clone, Debug)]
pub enum Collection {
    /// None: only blobs that no image leads to.
    Unreferenced,
    /// Those that no Pod uses, by how full the disk is.
    Thresholds(Thresholds),
    /// All that no Pod uses.
    Unused,
}

/// What has gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Manifests of images that lost their names.
    pub images: Vec<Digest>,
    /// Blobs and abandoned partial files.
    pub files: u64,
    /// Bytes that they held.
    pub bytes: u64,
    /// Bytes that the thresholds wanted freed; more than `bytes` if too much is in use.
    pub wanted: u64,
}

impl Layout {
    /// Removes blobs that no name and no living [`super::Pin`] leads to, partial files that nobody
    /// writes or has written to for a day (at once, if room is wanted) and, as `collection` says,
    /// images.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`]; what has gone until then is gone.
    pub fn collect(&self, collection: &Collection) -> Result<Collected, LayoutError> {
        self.go_through(collection, Deed::Remove)
    }

    /// What [`collect`](Self::collect) would remove now.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn would_collect(&self, collection: &Collection) -> Result<Collected, LayoutError> {
        self.go_through(collection, Deed::Count)
    }

    fn go_through(&self, collection: &Collection, deed: Deed) -> Result<Collected, LayoutError> {
        let _lock = self.lock_exclusively()?;
        let pinned = self.reach(self.pinned()?);
        let now = SystemTime::now();
        let mut collected = Collected::default();
        match collection {
            Collection::Unreferenced => {}
            Collection::Thresholds(thresholds) => {
                let candidates = self.candidates(&pinned)?;
                let decision = images_to_remove(candidates, self.disk()?, *thresholds, now);
                collected.images = decision.remove;
                collected.wanted = decision.wanted;
            }
            Collection::Unused => {
                let candidates = self.candidates(&pinned)?.into_iter();
                let unused = candidates.filter(|image| !image.in_use);
                collected.images = unused.map(|image| image.digest).collect();
            }
        }
        let gone = collected.images.iter().cloned().collect();
        let mut kept = self.reach(self.named_besides(&gone)?);
        if deed == Deed::Remove {
            self.forget(&gone)?;
        }
        kept.extend(pinned);
        for algorithm in Algorithm::ALL {
            self.sweep_blobs(algorithm, &kept, deed, &mut collected);
        }
        let wants_room = collected.wanted > 0 || matches!(collection, Collection::Unused);
        let oldest = if wants_room { Duration::ZERO } else { STALE_PARTIAL };
        self.sweep_partials(now, oldest, deed, &mut collected);
        Ok(collected)
    }

    /// The disk that it is on.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn disk(&self) -> Result<Disk, LayoutError> {
        let disk = at(self.folder(), rustix::fs::statvfs(self.folder()).map_err(Into::into))?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Ok(Disk { capacity: bytes(disk.f_blocks), available: bytes(disk.f_bavail) })
    }

    /// Manifests that a living pin leads to: their images are in use.
    ///
    /// # Errors
    /// [`LayoutError::Io`]
    pub fn in_use(&self) -> Result<HashSet<Digest>, LayoutError> {
        let _lock = self.lock_exclusively()?;
        Ok(self.reach(self.pinned()?))
    }

    /// One for each manifest, however many names it has.
    fn candidates(&self, pinned: &HashSet<Digest>) -> Result<Vec<Candidate>, LayoutError> {
        let mut candidates: Vec<Candidate> = Vec::new();
        for image in self.images()? {
            let in_use = pinned.contains(&image.digest);
            match candidates.iter_mut().find(|known| known.digest == image.digest) {
                Some(known) => known.since = known.since.max(image.since),
                None => candidates.push(Candidate {
                    digest: image.digest,
                    size: image.size,
                    since: image.since,
                    last_used: image.last_used,
                    in_use,
                }),
            }
        }
        Ok(candidates)
    }

    /// These and all that they lead to through manifests that are here. A manifest that cannot be
    /// read leads nowhere.
    fn reach(&self, from: HashSet<Digest>) -> HashSet<Digest> {
        let mut reached = from.clone();
        let mut open: Vec<Digest> = from.into_iter().collect();
        while let Some(digest) = open.pop() {
            let is_small =
                self.open_blob(&digest).is_ok_and(|(_, size)| size <= MOST_MANIFEST_BYTES);
            if !is_small {
                continue;
            }
            let Ok(manifest) = self.manifest(&digest) else { continue };
            for named in
                manifest.content.names().into_iter().filter_map(|name| Digest::of(name).ok())
            {
                // A layer is no manifest: only what may be one is opened.
                if reached.insert(named.clone()) && is_index(&manifest.content) {
                    open.push(named);
                }
            }
        }
        reached
    }

    fn sweep_blobs(
        &self,
        algorithm: Algorithm,
        kept: &HashSet<Digest>,
        deed: Deed,
        collected: &mut Collected,
    ) {
        let folder = self.blobs(algorithm);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let digest = format!("{}:{}", algorithm.as_str(), name.to_string_lossy());
            // What is not named as a blob is not ours to remove.
            let Ok(digest) = digest.parse::<Digest>() else { continue };
            if !kept.contains(&digest) {
                deed.to(&entry.path(), collected);
            }
        }
    }

    fn sweep_partials(
        &self,
        now: SystemTime,
        oldest: Duration,
        deed: Deed,
        collected: &mut Collected,
    ) {
        for entry in fs::read_dir(self.ingest_folder()).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(file) = File::open(&path) else { continue };
            let is_free = file.try_lock().is_ok() && is_same_file(&file, &path);
            let is_old = file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age >= oldest));
            if is_free && is_old {
                deed.to(&path, collected);
            }
        }
    }
}

fn is_index(content: &super::manifest::Content) -> bool {
    matches!(content, super::manifest::Content::Index(_))
}

/// What becomes of a file that nothing leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Remove,
    Count,
}

impl Deed {
    fn to(self, path: &Path, collected: &mut Collected) {
        let size = fs::metadata(path).map_or(0, |metadata| metadata.len());
        let is_gone = match self {
            Self::Remove => remove_if_there(path).is_ok(),
            Self::Count => true,
        };
        if is_gone {
            collected.files += 1;
            collected.bytes += size;
        }
    }
}
