//! Paths, as WASI has them: it knows no working folder, so each path is made an absolute one first.

use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};

thread_local! {
    static WORKING_FOLDER: RefCell<PathBuf> = RefCell::new(PathBuf::from("/"));
}

/// The working folder.
pub(crate) fn working_folder() -> PathBuf {
    WORKING_FOLDER.with_borrow(Clone::clone)
}

pub(crate) fn set_working_folder(path: impl Into<PathBuf>) {
    WORKING_FOLDER.set(path.into());
}

/// `path` from the root: links are left as they are, `.` and `..` are gone.
pub(crate) fn absolute(path: impl AsRef<Path>) -> PathBuf {
    normal(&working_folder().join(path))
}

/// Without `.` and `..`, by name alone.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::Normal(name) => normal.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    normal
}

/// `path` without links: where its file really is.
///
/// # Errors
/// A part of it is not there, or links lead in a circle.
pub(crate) fn real(path: &Path) -> std::io::Result<PathBuf> {
    // As many as Linux follows.
    let mut links = 40;
    let mut left: Vec<_> =
        absolute(path).components().rev().map(|part| part.as_os_str().to_owned()).collect();
    let mut real = PathBuf::new();
    while let Some(part) = left.pop() {
        if part == ".." {
            real.pop();
            continue;
        }
        real.push(&part);
        let Ok(target) = std::fs::read_link(&real) else {
            std::fs::symlink_metadata(&real)?;
            continue;
        };
        links -= 1;
        if links == 0 {
            return Err(std::io::Error::other("too many levels of symbolic links"));
        }
        real.pop();
        left.extend(target.components().rev().map(|part| part.as_os_str().to_owned()));
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal_by_name() {
        for (path, wanted) in
            [("/", "/"), ("/a/./b//c/", "/a/b/c"), ("/a/../../b", "/b"), ("/..", "/")]
        {
            assert_eq!(normal(Path::new(path)), Path::new(wanted), "{path}");
        }
    }

    #[test]
    fn links_are_followed_and_circles_found() {
        let folder = std::env::temp_dir().join(format!("toolbox-path-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("real/inner")).unwrap();
        let link = |target: &str, name: &str| {
            let _ = std::os::unix::fs::symlink(target, folder.join(name));
        };
        link("real", "link");
        link("../real/inner", "real/back");
        link("round", "about");
        link("about", "round");
        let folder = real(&folder).unwrap();
        assert_eq!(real(&folder.join("link/back")).unwrap(), folder.join("real/inner"));
        assert!(real(&folder.join("round")).is_err());
        assert!(real(&folder.join("nowhere")).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
