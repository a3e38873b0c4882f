//! What things are called: queues by one name, files by a path of names. Pure.

use super::IpcError;

/// `NAME_MAX` of Linux.
const LONGEST_NAME: usize = 255;

/// `PATH_MAX` of Linux.
pub(super) const LONGEST_PATH: usize = 4096;

/// The name of a queue or a segment: with a slash in front, as POSIX wants it, or without.
///
/// # Errors
/// [`IpcError::Invalid`] for none, [`IpcError::Access`] for one that holds another slash or leads
/// elsewhere, [`IpcError::NameTooLong`]; those of Linux.
pub(super) fn name(text: &str) -> Result<&str, IpcError> {
    let name = text.strip_prefix('/').unwrap_or(text);
    match name {
        "" => Err(IpcError::Invalid),
        "." | ".." => Err(IpcError::Access),
        name if name.contains('/') => Err(IpcError::Access),
        name if name.contains('\0') => Err(IpcError::Invalid),
        name if name.len() > LONGEST_NAME => Err(IpcError::NameTooLong),
        name => Ok(name),
    }
}

/// A path below one of our folders, as a guest asks for it from `folder`: without `.` and `..`. Empty is
/// the folder that all others are in.
///
/// # Errors
/// [`IpcError::NotPermitted`] for one that leads out, [`IpcError::Invalid`],
/// [`IpcError::NameTooLong`].
pub(super) fn path(folder: &str, text: &str) -> Result<String, IpcError> {
    if text.is_empty() {
        return Err(IpcError::NotFound);
    }
    if text.starts_with('/') {
        return Err(IpcError::NotPermitted);
    }
    if text.contains('\0') {
        return Err(IpcError::Invalid);
    }
    if folder.len() + text.len() > LONGEST_PATH {
        return Err(IpcError::NameTooLong);
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or(IpcError::NotPermitted)?),
            part if part.len() > LONGEST_NAME => return Err(IpcError::NameTooLong),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_posix() {
        let long = "x".repeat(256);
        for (text, answer) in [
            ("/jobs", Ok("jobs")),
            ("jobs", Ok("jobs")),
            ("/...", Ok("...")),
            ("", Err(IpcError::Invalid)),
            ("/", Err(IpcError::Invalid)),
            ("//jobs", Err(IpcError::Access)),
            ("/a/b", Err(IpcError::Access)),
            ("/..", Err(IpcError::Access)),
            ("../../etc/passwd", Err(IpcError::Access)),
            ("a\0b", Err(IpcError::Invalid)),
            (&long, Err(IpcError::NameTooLong)),
            (&long[1..], Ok(&long[1..])),
        ] {
            assert_eq!(name(text), answer, "{text:?}");
        }
    }

    #[test]
    fn paths_stay_below() {
        let long = "x".repeat(256);
        for (folder, text, answer) in [
            ("", "a", Ok("a")),
            ("", ".", Ok("")),
            ("a/b", "./c//d/", Ok("a/b/c/d")),
            ("a/b", "../c", Ok("a/c")),
            ("a", "..", Ok("")),
            ("a", "../..", Err(IpcError::NotPermitted)),
            ("", "x/../../x", Err(IpcError::NotPermitted)),
            ("", "/a", Err(IpcError::NotPermitted)),
            ("", "", Err(IpcError::NotFound)),
            ("", "a\0", Err(IpcError::Invalid)),
            ("", &long, Err(IpcError::NameTooLong)),
            ("", &"x/".repeat(2049), Err(IpcError::NameTooLong)),
        ] {
            assert_eq!(path(folder, text), answer.map(str::to_owned), "{folder:?} {text:?}");
        }
    }
}
