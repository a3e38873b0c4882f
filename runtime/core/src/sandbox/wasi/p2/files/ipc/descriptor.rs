//! The functions of `wasi:filesystem` as wasmtime-wasi has them, save for descriptors of ours.

use wasmtime::component::Resource;
use wasmtime::{Error, Result};
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::PodFilesCtxView;
use super::ours::{hash, refused, told};
use crate::sandbox::ipc::IpcError;

type Fd = Resource<Descriptor>;

impl preopens::Host for PodFilesCtxView<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Fd, String)>> {
        let directories = preopens::Host::get_directories(&mut self.stock)?;
        self.know_folders(&directories);
        Ok(directories)
    }
}

impl Host for PodFilesCtxView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        self.stock.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        if let Some(error) = self.stock.table.get(&error)?.downcast_ref::<IpcError>() {
            return Ok(Some((*error).into()));
        }
        self.stock.filesystem_error_code(error)
    }
}

impl HostDescriptor for PodFilesCtxView<'_> {
    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        match self.ipc.get(&fd) {
            Some(entry) => self.input(entry.file()?, offset),
            None => self.stock.read_via_stream(fd, offset),
        }
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        match self.ipc.get(&fd) {
            Some(entry) => self.output(entry.file()?, Some(offset)),
            None => self.stock.write_via_stream(fd, offset),
        }
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        match self.ipc.get(&fd) {
            Some(entry) => self.output(entry.file()?, None),
            None => self.stock.append_via_stream(fd),
        }
    }

    async fn advise(
        &mut self,
        fd: Fd,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(_) => Ok(()),
            None => self.stock.advise(fd, offset, length, advice).await,
        }
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(_) => Ok(()),
            None => self.stock.sync_data(fd).await,
        }
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        match self.ipc.get(&fd) {
            Some(entry) => Ok(entry.flags()),
            None => self.stock.get_flags(fd).await,
        }
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        match self.ipc.get(&fd) {
            Some(entry) => Ok(entry.kind()),
            None => self.stock.get_type(fd).await,
        }
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(entry) => entry.file()?.set_size(size).map_err(refused),
            None => self.stock.set_size(fd, size).await,
        }
    }

    async fn set_times(
        &mut self,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        match self.ipc.get(&fd) {
            // There are none.
            Some(_) => Ok(()),
            None => self.stock.set_times(fd, accessed, modified).await,
        }
    }

    async fn read(
        &mut self,
        fd: Fd,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        match self.ipc.get(&fd) {
            Some(entry) => self.read_at(&*entry.file()?, length, offset).await,
            None => self.stock.read(fd, length, offset).await,
        }
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        match self.ipc.get(&fd) {
            Some(entry) => self.write_at(&*entry.file()?, &bytes, offset).await,
            None => self.stock.write(fd, bytes, offset).await,
        }
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        match self.ipc.get(&fd) {
            Some(entry) => {
                let folder = entry.folder()?;
                self.list(fd, &folder).await
            }
            None => self.stock.read_directory(fd).await,
        }
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(_) => Ok(()),
            None => self.stock.sync(fd).await,
        }
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.create_folder(&entry.folder()?, &path).map_err(refused),
            None => self.stock.create_directory_at(fd, path).await,
        }
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        match self.ipc.get(&fd) {
            Some(entry) => Ok(told(entry.stat())),
            None => self.stock.stat(fd).await,
        }
    }

    async fn stat_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.stat(&entry.folder()?, &path).map(told).map_err(refused),
            None => self.stock.stat_at(fd, flags, path).await,
        }
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.stat(&entry.folder()?, &path).map(drop).map_err(refused),
            None => self.stock.set_times_at(fd, flags, path, accessed, modified).await,
        }
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        other: Fd,
        name: String,
    ) -> FsResult<()> {
        match (self.ipc.is_ours(&fd), self.ipc.is_ours(&other)) {
            (true, true) => Err(ErrorCode::NotPermitted.into()),
            (true, false) | (false, true) => Err(ErrorCode::CrossDevice.into()),
            (false, false) => self.stock.link_at(fd, flags, path, other, name).await,
        }
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        lookup: PathFlags,
        path: String,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        match self.ipc.get(&fd) {
            Some(entry) => {
                let folder = entry.folder()?;
                self.open(&fd, &folder, &path, (open, flags))
            }
            None => self.stock.open_at(fd, lookup, path, open, flags).await,
        }
    }

    /// Nothing there is a link.
    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        match self.ipc.get(&fd) {
            Some(entry) => {
                self.ipc.run.stat(&entry.folder()?, &path).map_err(refused)?;
                Err(ErrorCode::Invalid.into())
            }
            None => self.stock.readlink_at(fd, path).await,
        }
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.remove_folder(&entry.folder()?, &path).map_err(refused),
            None => self.stock.remove_directory_at(fd, path).await,
        }
    }

    async fn rename_at(&mut self, fd: Fd, path: String, other: Fd, name: String) -> FsResult<()> {
        match (self.ipc.get(&fd), self.ipc.get(&other)) {
            (Some(entry), Some(to)) => {
                let (from, to) = (entry.folder()?, to.folder()?);
                self.ipc.run.rename((&from, &path), (&to, &name)).map_err(refused)
            }
            (Some(_), None) | (None, Some(_)) => Err(ErrorCode::CrossDevice.into()),
            (None, None) => self.stock.rename_at(fd, path, other, name).await,
        }
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(_) => Err(ErrorCode::NotPermitted.into()),
            None => self.stock.symlink_at(fd, target, path).await,
        }
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.unlink(&entry.folder()?, &path).map_err(refused),
            None => self.stock.unlink_file_at(fd, path).await,
        }
    }

    async fn is_same_object(&mut self, one: Fd, other: Fd) -> Result<bool> {
        match (self.ipc.get(&one), self.ipc.get(&other)) {
            (Some(one), Some(other)) => Ok(one.stat().id == other.stat().id),
            (Some(_), None) | (None, Some(_)) => Ok(false),
            (None, None) => self.stock.is_same_object(one, other).await,
        }
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        match self.ipc.get(&fd) {
            Some(entry) => Ok(hash(entry.stat())),
            None => self.stock.metadata_hash(fd).await,
        }
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        match self.ipc.get(&fd) {
            Some(entry) => self.ipc.run.stat(&entry.folder()?, &path).map(hash).map_err(refused),
            None => self.stock.metadata_hash_at(fd, flags, path).await,
        }
    }

    fn drop(&mut self, fd: Fd) -> Result<()> {
        self.ipc.forget(&fd);
        HostDescriptor::drop(&mut self.stock, fd)
    }
}

impl HostDirectoryEntryStream for PodFilesCtxView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        match self.ipc.listings.get_mut(&stream.rep()) {
            Some(listing) => Ok(listing.entries.pop_front()),
            None => self.stock.read_directory_entry(stream).await,
        }
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> Result<()> {
        self.ipc.listings.remove(&stream.rep());
        HostDirectoryEntryStream::drop(&mut self.stock, stream)
    }
}
