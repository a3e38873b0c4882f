//! Names in an archive: which place in the root they mean. Pure.
//!
//! Rule: "Image Layer Filesystem Changeset" of the OCI image specification. Names are relative to the
//! root, some builders write a `/` in front all the same, and what begins with `.wh.` is a mark.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::error::EntryError;

const WHITEOUT: &[u8] = b".wh.";
/// Also the beginning of what AUFS wrote for itself.
const METADATA: &[u8] = b".wh..wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Where an entry belongs: a folder, part by part, and a name in it; no name for the root itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'entry> {
    pub(super) folder: Vec<&'entry OsStr>,
    pub(super) name: Option<&'entry OsStr>,
}

/// What an entry's name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'entry> {
    /// Something to make.
    Entry,
    /// Nothing of this name from the layers below.
    Whiteout(&'entry OsStr),
    /// Nothing in this folder from the layers below.
    Opaque,
    /// Of no meaning here.
    Metadata,
}

pub(super) fn place(path: &[u8], most_depth: usize) -> Result<Place<'_>, EntryError> {
    if path.contains(&0) {
        return Err(EntryError::Nul);
    }
    let mut folder = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(EntryError::Climbs),
            part if folder.len() <= most_depth => folder.push(OsStr::from_bytes(part)),
            _ => return Err(EntryError::Deep { most: most_depth }),
        }
    }
    let name = folder.pop();
    Ok(Place { folder, name })
}

pub(super) fn meaning(name: &OsStr) -> Result<Meaning<'_>, EntryError> {
    let name = name.as_bytes();
    match name.strip_prefix(WHITEOUT) {
        None => Ok(Meaning::Entry),
        Some(_) if name == OPAQUE => Ok(Meaning::Opaque),
        Some(_) if name.starts_with(METADATA) => Ok(Meaning::Metadata),
        Some(b"" | b".") => Err(EntryError::Nameless),
        Some(b"..") => Err(EntryError::Climbs),
        Some(hidden) => Ok(Meaning::Whiteout(OsStr::from_bytes(hidden))),
    }
}

/// Where a link in `folder` leads, written from there: an absolute one begins at the root of the
/// image, and `..` does not lead above it, as when the image is the root of a process.
///
/// A guest is given a directory and no root of its own: a link that begins with `/` or climbs too far
/// would lead it nowhere.
pub(super) fn link_target(depth: usize, target: &[u8]) -> Vec<u8> {
    let absolute = target.first() == Some(&b'/');
    let mut height = if absolute { 0 } else { depth };
    let mut parts: Vec<&[u8]> = if absolute { vec![b".."; depth] } else { Vec::new() };
    let mut clamped = absolute;
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if height == 0 => clamped = true,
            b".." => {
                height -= 1;
                parts.push(part);
            }
            part => {
                height += 1;
                parts.push(part);
            }
        }
    }
    if !clamped {
        return target.to_vec();
    }
    if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') }
}

/// Where a link leads that [`link_target`] wrote for a folder of that depth to lead from the root.
pub(super) fn from_root(depth: usize, written: &[u8]) -> Vec<u8> {
    // The names of the folders that it climbs out of do not matter.
    let mut parts: Vec<Option<&[u8]>> = vec![None; depth];
    for part in written.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(Some(part)),
        }
    }
    let names: Vec<&[u8]> = parts.into_iter().flatten().collect();
    [b"/".as_slice(), &names.join(&b'/')].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_lead_to_a_place_within() {
        let place = |path: &'static str| {
            let Place { folder, name } = place(path.as_bytes(), 3)?;
            let folder: Vec<&str> = folder.iter().map(|part| part.to_str().unwrap()).collect();
            Ok::<_, EntryError>(format!(
                "{}:{}",
                folder.join("/"),
                name.map_or("", |name| name.to_str().unwrap())
            ))
        };
        for (path, expected) in [
            ("a", ":a"),
            ("./a//b/", "a:b"),
            ("/etc/passwd", "etc:passwd"),
            ("./", ":"),
            ("", ":"),
            ("a/...", "a:..."),
            ("a/b/c/d", "a/b/c:d"),
        ] {
            assert_eq!(place(path).unwrap(), expected, "{path}");
        }
        for hostile in ["..", "../a", "a/../b", "/..", "a\0b", "a/b/c/d/e"] {
            assert!(place(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn marks_are_told_from_names() {
        let meaning = |name: &'static str| meaning(OsStr::new(name));
        assert_eq!(meaning("wh.a").unwrap(), Meaning::Entry);
        assert_eq!(meaning(".wh.a").unwrap(), Meaning::Whiteout(OsStr::new("a")));
        assert_eq!(meaning(".wh..a").unwrap(), Meaning::Whiteout(OsStr::new(".a")));
        assert_eq!(meaning(".wh..wh..opq").unwrap(), Meaning::Opaque);
        assert_eq!(meaning(".wh..wh.plnk").unwrap(), Meaning::Metadata);
        for hostile in [".wh.", ".wh..", ".wh..."] {
            assert!(meaning(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn links_stay_in_the_image() {
        for (depth, target, expected) in [
            (0, "usr/bin", "usr/bin"),
            (1, "../run", "../run"),
            (1, "/run", "../run"),
            (0, "/run/", "run"),
            (2, "/", "../.."),
            (0, "/", "."),
            (0, "..", "."),
            (1, "../../../etc/passwd", "../etc/passwd"),
            (2, "a/../../../../b", "a/../../../b"),
            (1, "./a/./b", "./a/./b"),
        ] {
            let found = link_target(depth, target.as_bytes());
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{depth} {target}");
        }
    }

    #[test]
    fn what_leads_from_the_root_is_found_again() {
        for (depth, target, expected) in
            [(0, "/run", "/run"), (2, "/run/x", "/run/x"), (3, "/", "/"), (1, "../../etc", "/etc")]
        {
            let written = link_target(depth, target.as_bytes());
            let found = from_root(depth, &written);
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{depth} {target}");
        }
    }

    proptest! {
        #[test]
        fn no_link_climbs_above_the_root(depth in 0usize..4, target in "[a/.]{0,16}") {
            let found = String::from_utf8(link_target(depth, target.as_bytes())).unwrap();
            prop_assert!(!found.starts_with('/'));
            let mut height = depth;
            for part in found.split('/') {
                match part {
                    "" | "." => {}
                    ".." => height = height.checked_sub(1).unwrap(),
                    _ => height += 1,
                }
            }
        }
    }
}
