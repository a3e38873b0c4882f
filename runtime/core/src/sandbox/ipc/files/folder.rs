//! What is done with a path below a folder of ours.

use std::sync::Arc;

use super::file::{
    IpcFile, IpcStat, QueueFile, SegmentFile, stat_of_folder, stat_of_queue, stat_of_segment,
};
use crate::resources::memory::{ContainerMemory, Held};
use crate::sandbox::ipc::message_queue::MessageQueue;
use crate::sandbox::ipc::pod_ipc::{Creation, PodIpc, QUEUES};
use crate::sandbox::ipc::tree::{Node, ROOT};
use crate::sandbox::ipc::wait::Interrupt;
use crate::sandbox::ipc::{IpcError, names};

/// What the host holds for a message beside its bytes: two allocations, and its place among those of its priority.
const MESSAGE: usize = 256;

/// The Pod's IPC as one run of a container has it. Clones are of the same run.
#[derive(Clone, Debug)]
pub struct RunIpc {
    pod: Arc<PodIpc>,
    memory: Arc<ContainerMemory>,
    interrupt: Interrupt,
}

/// A folder of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpcFolder {
    /// `/dev/mqueue`
    Queues,
    /// `/dev/shm`, or the folder at this path below it.
    Shared {
        /// Empty is `/dev/shm` itself.
        path: String,
        /// Tells it from all else of the Pod.
        id: u64,
    },
}

/// How something is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Whether it may be new.
    pub creation: Creation,
    /// Whether it has to be a folder.
    pub folder: bool,
    /// Whether its content goes.
    pub truncate: bool,
    /// Whether it is read.
    pub read: bool,
    /// Whether it is written to.
    pub write: bool,
}

/// What was opened.
#[derive(Debug)]
pub enum Opened {
    /// A folder.
    Folder(IpcFolder),
    /// A file.
    File(IpcFile),
}

impl IpcFolder {
    /// The two that a guest is given, and where it finds them.
    pub fn given() -> [(&'static str, Self); 2] {
        [("/dev/mqueue", Self::Queues), ("/dev/shm", Self::shared())]
    }

    /// `/dev/shm`
    pub(super) fn shared() -> Self {
        Self::Shared { path: String::new(), id: ROOT }
    }

    /// Of the folder itself.
    pub fn stat(&self) -> IpcStat {
        match self {
            Self::Queues => stat_of_folder(QUEUES),
            Self::Shared { id, .. } => stat_of_folder(*id),
        }
    }
}

impl RunIpc {
    /// Of a run that has this memory and is stopped so.
    pub fn new(pod: Arc<PodIpc>, memory: Arc<ContainerMemory>, interrupt: Interrupt) -> Self {
        Self { pod, memory, interrupt }
    }

    /// Of a run in no Pod.
    #[cfg(test)]
    pub(crate) fn apart() -> Self {
        use crate::sandbox::Stop;
        use crate::sandbox::ipc::IpcLimits;
        let pod = PodIpc::new(IpcLimits::default());
        Self::new(pod, ContainerMemory::apart(64 << 20), Interrupt::new(Stop::default()))
    }

    /// The Pod's.
    pub fn pod(&self) -> &Arc<PodIpc> {
        &self.pod
    }

    /// The container's memory.
    pub fn memory(&self) -> &Arc<ContainerMemory> {
        &self.memory
    }

    /// What ends its waits.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// What the host holds for a message of so many bytes, paid for.
    ///
    /// # Errors
    /// [`IpcError::OutOfMemory`]
    pub fn charge(&self, bytes: usize) -> Result<Held, IpcError> {
        self.memory.hold(MESSAGE.saturating_add(bytes)).map_err(|_| IpcError::OutOfMemory)
    }

    /// Opens what is at `path` below `folder`.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(
        &self,
        folder: &IpcFolder,
        path: &str,
        opening: Opening,
    ) -> Result<Opened, IpcError> {
        let Opening { creation, read, write, .. } = opening;
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues if path.is_empty() => opening.folder_at(IpcFolder::Queues),
            IpcFolder::Queues if opening.folder => {
                self.queue(&path)?;
                Err(IpcError::NotFolder)
            }
            IpcFolder::Queues => {
                let queue = self.pod.open_queue(&self.memory, &path, creation, None)?;
                Ok(Opened::File(IpcFile::Queue(QueueFile::new(queue, read, write))))
            }
            IpcFolder::Shared { .. } => {
                if let Ok(Node::Folder(id)) = self.pod.files().get(&path) {
                    return opening.folder_at(IpcFolder::Shared { path, id: *id });
                }
                if opening.folder {
                    self.pod.files().get(&path)?;
                    return Err(IpcError::NotFolder);
                }
                let segment = self.pod.open_file(&self.memory, &path, creation)?;
                if opening.truncate && write {
                    segment.set_size(0)?;
                }
                Ok(Opened::File(IpcFile::Segment(SegmentFile::new(segment, read, write))))
            }
        }
    }

    /// What is at `path` below `folder`.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn stat(&self, folder: &IpcFolder, path: &str) -> Result<IpcStat, IpcError> {
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues if path.is_empty() => Ok(folder.stat()),
            IpcFolder::Queues => Ok(stat_of_queue(&*self.queue(&path)?)),
            IpcFolder::Shared { .. } => Ok(match self.pod.files().get(&path)? {
                Node::Folder(id) => stat_of_folder(*id),
                Node::File(segment) => stat_of_segment(segment),
            }),
        }
    }

    /// The names in a folder, each with whether it is a folder.
    ///
    /// # Errors
    /// [`IpcError::NotFound`] for one that was removed.
    pub fn list(&self, folder: &IpcFolder) -> Result<Vec<(String, bool)>, IpcError> {
        match folder {
            IpcFolder::Queues => {
                Ok(self.pod.queue_names().into_iter().map(|name| (name, false)).collect())
            }
            IpcFolder::Shared { path, .. } => {
                let files = self.pod.files();
                let names = files.list(path)?.into_iter();
                Ok(names.map(|(name, node)| (name, matches!(node, Node::Folder(_)))).collect())
            }
        }
    }

    /// Takes a file's name away; who has it open goes on with it.
    ///
    /// # Errors
    /// Those of unlink(2).
    pub fn unlink(&self, folder: &IpcFolder, path: &str) -> Result<(), IpcError> {
        let path = folder.path(path)?;
        match folder {
            _ if path.is_empty() => Err(IpcError::IsFolder),
            IpcFolder::Queues => self.pod.unlink_queue(&path),
            IpcFolder::Shared { .. } => self.pod.files().remove_file(&path).map(drop),
        }
    }

    /// # Errors
    /// Those of mkdir(2).
    pub fn create_folder(&self, folder: &IpcFolder, path: &str) -> Result<(), IpcError> {
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues => Err(IpcError::NotPermitted),
            IpcFolder::Shared { .. } => self.pod.create_folder(&self.memory, &path),
        }
    }

    /// # Errors
    /// Those of rmdir(2).
    pub fn remove_folder(&self, folder: &IpcFolder, path: &str) -> Result<(), IpcError> {
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues if path.is_empty() => Err(IpcError::NotPermitted),
            IpcFolder::Queues => self.queue(&path).and(Err(IpcError::NotFolder)),
            IpcFolder::Shared { .. } => self.pod.files().remove_folder(&path),
        }
    }

    /// # Errors
    /// Those of rename(2); queues keep their names.
    pub fn rename(
        &self,
        (folder, path): (&IpcFolder, &str),
        (other, name): (&IpcFolder, &str),
    ) -> Result<(), IpcError> {
        match (folder, other) {
            (IpcFolder::Shared { .. }, IpcFolder::Shared { .. }) => {
                let (from, to) = (folder.path(path)?, other.path(name)?);
                self.pod.rename(&self.memory, &from, &to)
            }
            (IpcFolder::Queues, _) | (_, IpcFolder::Queues) => Err(IpcError::NotPermitted),
        }
    }

    fn queue(&self, path: &str) -> Result<Arc<MessageQueue>, IpcError> {
        self.pod.open_queue(&self.memory, path, Creation::Never, None)
    }
}

impl IpcFolder {
    fn path(&self, text: &str) -> Result<String, IpcError> {
        match self {
            Self::Queues => names::path("", text),
            Self::Shared { path, .. } => names::path(path, text),
        }
    }
}

impl Opening {
    fn folder_at(self, folder: IpcFolder) -> Result<Opened, IpcError> {
        match self {
            Self { creation: Creation::Always, .. } => Err(IpcError::Exists),
            Self { folder: false, write: true, .. } | Self { truncate: true, .. } => {
                Err(IpcError::IsFolder)
            }
            _ => Ok(Opened::Folder(folder)),
        }
    }
}
