//! From this machine into a container.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use wasmpod::sandbox::filesystem::{Copied, FileKind};
use wasmpod_node::podprocess::PodClient;

use super::pipe::{self, Sink};
use super::place::split;
use crate::failure::Failure;
use crate::verbs::reach::target::refused;

/// Copies `local`, with all that is below it, to `path`: into it where it is a folder.
///
/// # Errors
/// It cannot be read here, or not be written there.
pub(in crate::verbs::reach) async fn upload(
    client: &PodClient,
    container: &str,
    local: &Path,
    path: &str,
) -> Result<Copied, Failure> {
    if let Err(error) = fs::symlink_metadata(local) {
        let missing = format!("{} doesn't exist in local filesystem", local.display());
        return Err(match error.kind() {
            std::io::ErrorKind::NotFound => Failure::kubectl(missing),
            _ => Failure::because(local.display(), &error),
        });
    }
    let own_name = std::path::absolute(local).ok();
    let own_name = own_name.as_deref().and_then(Path::file_name).unwrap_or_default();
    let own_name = own_name.to_string_lossy().into_owned();
    let is_folder = path.ends_with('/')
        || client.stat(container, path).await.is_ok_and(|stat| stat.kind == FileKind::Folder);
    let (folder, name) = if is_folder { (path, own_name.as_str()) } else { split(path) };
    let mut writer = client.copy_to(container, folder).await.map_err(refused)?;
    let (sink, mut pieces) = pipe::sink();
    let (source, name) = (local.to_owned(), name.to_owned());
    let packing = tokio::task::spawn_blocking(move || pack(&source, &name, sink));
    while let Some(piece) = pieces.recv().await {
        if !writer.push(piece).await {
            break;
        }
    }
    drop(pieces);
    let packed = packing.await.map_err(|error| Failure::because("the archive", &error))?;
    if let Err(error) = packed
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(Failure::because(local.display(), &error));
    }
    writer.finish().await.map_err(refused)
}

fn pack(source: &Path, name: &str, sink: Sink) -> std::io::Result<()> {
    let mut archive = tar::Builder::new(sink);
    // Links are copied as links: what they lead to may be anything.
    archive.follow_symlinks(false);
    if fs::symlink_metadata(source)?.is_dir() {
        archive.append_dir_all(name, source)?;
    } else {
        archive.append_path_with_name(source, name)?;
    }
    archive.into_inner()?.flush()
}
