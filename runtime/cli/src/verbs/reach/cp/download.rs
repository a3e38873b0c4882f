//! From a container to this machine.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use wasmpod::sandbox::filesystem::Copied;
use wasmpod_node::podprocess::PodClient;

use super::pipe::{self, Source};
use crate::failure::Failure;
use crate::verbs::reach::target::refused;

/// How it is copied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) keeps_modes: bool,
}

/// Copies `path`, with all that is below it, to `local`: into it where it is a folder.
///
/// # Errors
/// It cannot be read there, or not be written here.
pub(super) async fn download(
    client: &PodClient,
    container: &str,
    path: &str,
    local: &Path,
    options: Options,
) -> Result<Copied, Failure> {
    let mut reader = client.copy_from(container, path).await.map_err(refused)?;
    let (pieces, source) = pipe::source();
    let destination = local.to_owned();
    let unpacking = tokio::task::spawn_blocking(move || unpack(source, &destination, options));
    let mut come = Ok(());
    loop {
        match reader.next().await {
            Ok(Some(piece)) => {
                // Who unpacks has given up, and says why.
                if pieces.send(piece).await.is_err() {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                come = Err(refused(error));
                break;
            }
        }
    }
    drop(pieces);
    let unpacked = unpacking.await.map_err(|error| Failure::because("the archive", &error))?;
    come?;
    unpacked.map_err(|error| Failure::because(local.display(), &error))?;
    Ok(reader.copied().cloned().unwrap_or_default())
}

/// The first part of each entry's name is what was asked for: it gets the name that it has here.
fn unpack(source: Source, destination: &Path, options: Options) -> io::Result<()> {
    let into = destination.is_dir();
    let mut archive = tar::Archive::new(source);
    let mut folders = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        let path = place(&name, destination, into)?;
        entry.set_preserve_permissions(options.keeps_modes);
        entry.set_preserve_mtime(true);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            refuse_links(destination, folder)?;
            fs::create_dir_all(folder)?;
        }
        let header = entry.header().clone();
        entry.unpack(&path)?;
        if header.entry_type().is_dir() {
            folders.push((path, header));
        }
    }
    // A folder's time is changed by what comes into it.
    for (path, header) in folders.into_iter().rev() {
        if let Ok(modified) = header.mtime() {
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(modified);
            // Its content is there all the same.
            let _ = fs::File::open(&path).and_then(|folder| folder.set_modified(time));
        }
    }
    Ok(())
}

fn place(name: &Path, destination: &Path, into: bool) -> io::Result<PathBuf> {
    let mut parts = name.components();
    let hostile = || io::Error::other(format!("{} is no name for a copy", name.display()));
    let first = match parts.next() {
        Some(Component::Normal(first)) => first,
        _ => return Err(hostile()),
    };
    if !parts.clone().all(|part| matches!(part, Component::Normal(_))) {
        return Err(hostile());
    }
    let base = if into { destination.join(first) } else { destination.to_owned() };
    let rest = parts.as_path();
    Ok(if rest.as_os_str().is_empty() { base } else { base.join(rest) })
}

/// A link that came with the archive must not lead what follows out of it.
fn refuse_links(destination: &Path, folder: &Path) -> io::Result<()> {
    let Ok(below) = folder.strip_prefix(destination) else { return Ok(()) };
    let mut path = destination.to_owned();
    for part in below.components() {
        path.push(part);
        if path.is_symlink() {
            let link = path.display();
            return Err(io::Error::other(format!("{link} is a link, and no folder to copy into")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_gets_its_place() {
        let to = |name: &str, into| place(Path::new(name), Path::new("/here"), into).ok();
        assert_eq!(to("data", false), Some("/here".into()));
        assert_eq!(to("data/a/b", false), Some("/here/a/b".into()));
        assert_eq!(to("data/a", true), Some("/here/data/a".into()));
        for hostile in ["", "/etc/passwd", "../x", "data/../../x"] {
            assert_eq!(to(hostile, false), None, "{hostile}");
        }
    }
}
