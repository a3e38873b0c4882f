//! Files by absolute paths: the preopened folder with the longest matching name leads to them.

use wasip3::filesystem::preopens;
use wasip3::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorType, OpenFlags, PathFlags,
};
use wasip3::wit_stream;

use crate::stdio::{print, print_bytes};
use crate::{Outcome, text};

pub(crate) async fn list(folder: &str) -> Outcome {
    let folder = open(folder, OpenFlags::DIRECTORY, DescriptorFlags::READ).await?;
    let (mut entries, listed) = folder.read_directory();
    let mut lines = Vec::new();
    while let Some(entry) = entries.next().await {
        let kind = match entry.type_ {
            DescriptorType::Directory => "folder",
            DescriptorType::RegularFile => "file",
            DescriptorType::SymbolicLink => "symlink",
            _ => "other",
        };
        lines.push(format!("{} {kind}\n", entry.name));
    }
    listed.await.map_err(text)?;
    lines.sort();
    print(&lines.concat()).await
}

pub(crate) async fn read(file: &str) -> Outcome {
    let file = open(file, OpenFlags::empty(), DescriptorFlags::READ).await?;
    let (bytes, read) = file.read_via_stream(0);
    let bytes = bytes.collect().await;
    read.await.map_err(text)?;
    print_bytes(bytes).await
}

pub(crate) async fn write(file: &str, content: &str) -> Outcome {
    let create = OpenFlags::CREATE | OpenFlags::TRUNCATE;
    let file = open(file, create, DescriptorFlags::WRITE).await?;
    let (mut writer, reader) = wit_stream::new();
    let written = file.write_via_stream(reader, 0);
    writer.write_all(format!("{content}\n").into_bytes()).await;
    drop(writer);
    written.await.map_err(text)
}

async fn open(path: &str, open: OpenFlags, access: DescriptorFlags) -> Result<Descriptor, String> {
    let (folder, rest) = preopens::get_directories()
        .into_iter()
        .filter_map(|(folder, name)| {
            let rest = path.strip_prefix(name.trim_end_matches('/'))?;
            let inside = rest.is_empty() || rest.starts_with('/');
            inside.then(|| (name.len(), folder, rest.trim_start_matches('/').to_owned()))
        })
        .max_by_key(|(length, ..)| *length)
        .map(|(_, folder, rest)| (folder, rest))
        .ok_or_else(|| format!("{path}: no preopened folder holds it"))?;
    let rest = if rest.is_empty() { String::from(".") } else { rest };
    folder
        .open_at(PathFlags::SYMLINK_FOLLOW, rest, open, access)
        .await
        .map_err(|error| format!("{path}: {error:?}"))
}
