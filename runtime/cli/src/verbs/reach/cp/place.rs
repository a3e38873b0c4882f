//! What is meant by SOURCE and DESTINATION. Pure.
//!
//! Rule: `extractFileSpec` of kubectl.

use std::path::PathBuf;

use crate::failure::Failure;

/// Where files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On this machine.
    Local(PathBuf),
    /// In a container of a Pod.
    Pod { namespace: Option<String>, pod: String, path: String },
}

impl Place {
    /// # Errors
    /// It names no Pod or no path.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::kubectl(format!("{text:?}: {why}"));
        // `./a:b` is a file here.
        let Some((before, path)) = text.split_once(':').filter(|(before, _)| !is_path(before))
        else {
            return match text {
                "" => Err(Failure::kubectl("filepath can not be empty")),
                text => Ok(Self::Local(text.into())),
            };
        };
        let (namespace, pod) = match before.split_once('/') {
            None => (None, before),
            Some((namespace, pod)) if !namespace.is_empty() && !pod.contains('/') => {
                (Some(namespace.to_owned()), pod)
            }
            Some(_) => return Err(wrong("invalid pod name or namespace")),
        };
        if pod.is_empty() {
            return Err(wrong("pod doesn't have a valid name in file spec"));
        }
        if path.is_empty() {
            return Err(Failure::kubectl("filepath can not be empty"));
        }
        Ok(Self::Pod { namespace, pod: pod.to_owned(), path: path.to_owned() })
    }
}

fn is_path(before: &str) -> bool {
    before.starts_with(['/', '.'])
}

/// The folder that something is in, and its own name: of `/data/a` `/data` and `a`.
pub(super) fn split(path: &str) -> (&str, &str) {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((folder, name)) => (folder, name),
        None => (".", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_kubectl_reads_them() {
        let pod = |namespace: Option<&str>, pod: &str, path: &str| Place::Pod {
            namespace: namespace.map(str::to_owned),
            pod: pod.to_owned(),
            path: path.to_owned(),
        };
        for (text, expected) in [
            ("web:/a", Some(pod(None, "web", "/a"))),
            ("web:a/b", Some(pod(None, "web", "a/b"))),
            ("n/web:/a:b", Some(pod(Some("n"), "web", "/a:b"))),
            ("./a:b", Some(Place::Local("./a:b".into()))),
            ("/tmp/x:y", Some(Place::Local("/tmp/x:y".into()))),
            ("file", Some(Place::Local("file".into()))),
            ("", None),
            (":/a", None),
            ("web:", None),
            ("a/b/c:/x", None),
        ] {
            assert_eq!(Place::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        for (path, expected) in [
            ("/data/a", ("/data", "a")),
            ("/a", ("/", "a")),
            ("a", (".", "a")),
            ("a/b/", ("a", "b")),
            ("/", (".", "")),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }
}
