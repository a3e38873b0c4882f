//! What is done with a descriptor of ours.

use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, HostDescriptor as _, MetadataHashValue, OpenFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::PodFilesCtxView;
use super::streams::{Input, Output};
use super::table::{Entry, Listing};
use crate::sandbox::ipc::{
    Creation, IpcError, IpcFile, IpcFolder, IpcStat, Opened, Opening, Patience,
};

/// What one call moves at most of a segment.
const MOST: usize = 1 << 20;

/// Tells the hashes of ours from those of the host's files.
const HASH: u64 = 0x6970_6300_6970_6300;

impl From<IpcError> for ErrorCode {
    fn from(error: IpcError) -> Self {
        match error {
            IpcError::Access => Self::Access,
            IpcError::WouldBlock | IpcError::NoMessage => Self::WouldBlock,
            IpcError::BadDescriptor => Self::BadDescriptor,
            IpcError::Exists => Self::Exist,
            IpcError::Removed => Self::NotRecoverable,
            IpcError::Interrupted => Self::Interrupted,
            IpcError::Invalid => Self::Invalid,
            IpcError::IsFolder => Self::IsDirectory,
            IpcError::MessageSize | IpcError::TooBig => Self::MessageSize,
            IpcError::NameTooLong => Self::NameTooLong,
            IpcError::NotFound => Self::NoEntry,
            IpcError::OutOfMemory => Self::InsufficientMemory,
            IpcError::NoSpace | IpcError::TooManyHandles => Self::InsufficientSpace,
            IpcError::NotFolder => Self::NotDirectory,
            IpcError::NotEmpty => Self::NotEmpty,
            IpcError::NotPermitted => Self::NotPermitted,
            IpcError::TimedOut => Self::Io,
        }
    }
}

pub(super) fn refused(error: IpcError) -> FsError {
    ErrorCode::from(error).into()
}

fn kind(folder: bool) -> DescriptorType {
    if folder { DescriptorType::Directory } else { DescriptorType::RegularFile }
}

/// There are no times.
pub(super) fn told(stat: IpcStat) -> DescriptorStat {
    DescriptorStat {
        type_: kind(stat.folder),
        link_count: 1,
        size: stat.size,
        data_access_timestamp: None,
        data_modification_timestamp: None,
        status_change_timestamp: None,
    }
}

pub(super) fn hash(stat: IpcStat) -> MetadataHashValue {
    MetadataHashValue { lower: stat.id, upper: HASH ^ u64::from(stat.folder) }
}

impl Entry {
    pub(super) fn file(self) -> FsResult<Arc<IpcFile>> {
        match self {
            Self::File(file) => Ok(file),
            Self::Folder(_) => Err(ErrorCode::IsDirectory.into()),
        }
    }

    pub(super) fn folder(self) -> FsResult<IpcFolder> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    pub(super) fn stat(&self) -> IpcStat {
        match self {
            Self::Folder(folder) => folder.stat(),
            Self::File(file) => file.stat(),
        }
    }

    pub(super) fn kind(&self) -> DescriptorType {
        kind(matches!(self, Self::Folder(_)))
    }

    pub(super) fn flags(&self) -> DescriptorFlags {
        let (read, write) = match self {
            Self::Folder(_) => return DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
            Self::File(file) => file.access(),
        };
        let mut flags = DescriptorFlags::empty();
        if read {
            flags |= DescriptorFlags::READ;
        }
        if write {
            flags |= DescriptorFlags::WRITE;
        }
        flags
    }
}

impl PodFilesCtxView<'_> {
    /// The directories, with ours among them.
    pub(super) fn know_folders(&mut self, directories: &[(Resource<Descriptor>, String)]) {
        for (place, folder) in &*Arc::clone(&self.ipc.folders) {
            if let Some((fd, _)) = directories.get(*place) {
                self.ipc.insert(fd, Entry::Folder(folder.clone()));
            }
        }
    }

    pub(super) fn open(
        &mut self,
        fd: &Resource<Descriptor>,
        folder: &IpcFolder,
        path: &str,
        (open, flags): (OpenFlags, DescriptorFlags),
    ) -> FsResult<Resource<Descriptor>> {
        let opening = Opening {
            creation: Creation::of(
                open.contains(OpenFlags::CREATE),
                open.contains(OpenFlags::EXCLUSIVE),
            ),
            folder: open.contains(OpenFlags::DIRECTORY),
            truncate: open.contains(OpenFlags::TRUNCATE),
            read: flags.contains(DescriptorFlags::READ),
            write: flags.contains(DescriptorFlags::WRITE),
        };
        // Before anything is made or cut off, which would stay so.
        let copy = self.stock.table.get(fd)?.clone();
        let opened = self.stock.table.push(copy)?;
        let entry = match self.ipc.run.open(folder, path, opening) {
            Ok(Opened::Folder(folder)) => Entry::Folder(folder),
            Ok(Opened::File(file)) => Entry::File(Arc::new(file)),
            Err(error) => {
                self.stock.table.delete(opened)?;
                return Err(refused(error));
            }
        };
        self.ipc.insert(&opened, entry);
        Ok(opened)
    }

    pub(super) async fn list(
        &mut self,
        fd: Resource<Descriptor>,
        folder: &IpcFolder,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let names = self.ipc.run.list(folder).map_err(refused)?;
        let bytes = names.iter().map(|(name, _)| size_of::<DirectoryEntry>() + name.len()).sum();
        let held = self.ipc.run.charge(bytes).map_err(refused)?;
        // That of the folder that is gone: it is the resource.
        let stream = self.stock.read_directory(fd).await?;
        let entry = |(name, folder)| DirectoryEntry { type_: kind(folder), name };
        let entries = names.into_iter().map(entry).collect();
        self.ipc.listings.insert(stream.rep(), Listing { entries, _held: held });
        Ok(stream)
    }

    pub(super) fn input(
        &mut self,
        file: Arc<IpcFile>,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        if !file.access().0 {
            return Err(ErrorCode::BadDescriptor.into());
        }
        let run = self.ipc.run.clone();
        let input: DynInputStream = Box::new(Input { file, run, offset, failed: None });
        Ok(self.stock.table.push(input)?)
    }

    pub(super) fn output(
        &mut self,
        file: Arc<IpcFile>,
        offset: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        if !file.access().1 {
            return Err(ErrorCode::BadDescriptor.into());
        }
        let run = self.ipc.run.clone();
        let output = Output { file, run, offset, waiting: None, failed: None };
        let output: DynOutputStream = Box::new(output);
        Ok(self.stock.table.push(output)?)
    }

    pub(super) async fn read_at(
        &mut self,
        file: &IpcFile,
        length: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        let most = usize::try_from(length).unwrap_or(usize::MAX).min(MOST);
        let read = file.read(&self.ipc.run, offset, most, Patience::Endless).await;
        let bytes = read.map_err(refused)?;
        let end = bytes.is_empty() && most > 0 && !file.is_stream();
        Ok((bytes.into(), end))
    }

    pub(super) async fn write_at(
        &mut self,
        file: &IpcFile,
        bytes: &[u8],
        offset: u64,
    ) -> FsResult<u64> {
        let written = file.write(&self.ipc.run, Some(offset), bytes, Patience::Endless).await;
        written.map_err(refused)?;
        Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }
}
