//! How much of a Pod's files is removed without a second thought.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;

use super::tree::remove_tree;

/// Names that are removed in an instant.
const SMALL: u32 = 48;

/// Bytes of a file that are given back in an instant.
const SMALL_FILE: u64 = 1 << 20;

/// What may be removed: all there is, or so many names more.
#[derive(Debug)]
pub(crate) struct Allowance(Option<u32>);

impl Allowance {
    /// All there is.
    pub(crate) const ALL: Self = Self(None);

    /// What takes an instant.
    pub(crate) fn small() -> Self {
        Self(Some(SMALL))
    }

    /// Removes what is at `path`, with all that is below it, if that may be removed too; answers
    /// whether it did.
    pub(crate) fn remove(&mut self, path: &Path, metadata: &Metadata) -> io::Result<bool> {
        let allowed = match &mut self.0 {
            None => true,
            Some(left) => count_down(left, path, metadata)?,
        };
        if !allowed {
            return Ok(false);
        }
        if metadata.is_dir() {
            remove_tree(path)?
        } else {
            fs::remove_file(path)?
        }
        Ok(true)
    }
}

fn count_down(left: &mut u32, path: &Path, metadata: &Metadata) -> io::Result<bool> {
    if *left == 0 || metadata.len() > SMALL_FILE {
        return Ok(false);
    }
    *left -= 1;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !count_down(left, &entry.path(), &entry.metadata()?)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_and_large_files_take_longer_than_an_instant() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("folder");
        let remove = |mut allowance: Allowance| {
            let metadata = fs::symlink_metadata(&folder).unwrap();
            allowance.remove(&folder, &metadata).unwrap()
        };
        fs::create_dir_all(folder.join("web.0/tmp")).unwrap();
        assert!(remove(Allowance::small()));
        assert!(!folder.exists());

        fs::create_dir_all(folder.join("web.0/tmp")).unwrap();
        let large = folder.join("web.0/tmp/large");
        fs::File::create(&large).unwrap().set_len(SMALL_FILE + 1).unwrap();
        assert!(!remove(Allowance::small()));
        fs::remove_file(large).unwrap();
        for number in 0..SMALL {
            fs::write(folder.join(number.to_string()), "").unwrap();
        }
        assert!(!remove(Allowance::small()));
        assert!(remove(Allowance::ALL));
        assert!(!folder.exists());
    }
}
