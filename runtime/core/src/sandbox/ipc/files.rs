//! Queues and segments as files: what `/dev/mqueue` and `/dev/shm` are to a guest that knows no other way
//! to them.
//!
//! | file | opened to | reads | writes |
//! |---|---|---|---|
//! | `/dev/mqueue/NAME` | read | how much is in it, as on Linux | |
//! | | write | | each is one message, of priority 0 |
//! | | read and write | each takes one message; what did not fit comes with the next | each is one message |
//! | `/dev/shm/…` | any | its bytes | its bytes |
//!
//! `/dev/mqueue` holds queues and nothing else; `/dev/shm` files and folders, no links. How WASI calls
//! these things is the business of its fronts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use bytes::Bytes;

use super::IpcError;
use super::message_queue::{MessageQueue, Side};
use super::names;
use super::pod_ipc::{Creation, PodIpc};
use super::queue::Message;
use super::segment::Segment;
use super::tree::Node;
use super::wait::{Interrupt, Patience, wait};
use crate::resources::memory::{ContainerMemory, Held};

/// What the host holds for a message beside its bytes.
const MESSAGE: usize = 64;

/// The size of a queue's file; `FILENT_SIZE` of Linux.
const QUEUE_FILE: u64 = 80;

/// The Pod's IPC as one run of a container has it. Clones are of the same run.
#[derive(Clone, Debug)]
pub struct RunIpc {
    pub(super) pod: Arc<PodIpc>,
    memory: Arc<ContainerMemory>,
    interrupt: Interrupt,
}

/// A folder of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IpcFolder {
    /// `/dev/mqueue`
    Queues,
    /// `/dev/shm`, or the folder at this path below it.
    Shared(String),
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

/// An open file of ours.
#[derive(Debug)]
pub enum IpcFile {
    /// Of `/dev/mqueue`.
    Queue(QueueFile),
    /// Of `/dev/shm`.
    Segment(SegmentFile),
}

/// A queue that is open as a file.
#[derive(Debug)]
pub struct QueueFile {
    queue: Arc<MessageQueue>,
    read: bool,
    write: bool,
    /// What is left of messages that were longer than the buffer of who read them.
    rest: Mutex<VecDeque<(Bytes, Held)>>,
}

/// A segment that is open as a file.
#[derive(Debug)]
pub struct SegmentFile {
    segment: Arc<Segment>,
    read: bool,
    write: bool,
}

/// What is known of a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpcStat {
    /// Whether it is a folder.
    pub folder: bool,
    /// Bytes.
    pub size: u64,
    /// The same for the same thing.
    pub id: u64,
}

impl IpcFolder {
    /// The two that a guest is given, and where it finds them.
    pub fn given() -> [(&'static str, Self); 2] {
        [("/dev/mqueue", Self::Queues), ("/dev/shm", Self::Shared(String::new()))]
    }

    /// Of the folder itself.
    pub fn stat(&self) -> IpcStat {
        IpcStat { folder: true, size: 0, id: 0 }
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
        let pod = PodIpc::new(super::IpcLimits::default());
        Self::new(
            pod,
            ContainerMemory::apart(64 << 20),
            Interrupt::new(crate::sandbox::Stop::default()),
        )
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
                let rest = Mutex::default();
                Ok(Opened::File(IpcFile::Queue(QueueFile { queue, read, write, rest })))
            }
            IpcFolder::Shared(_) => {
                if matches!(self.pod.files().get(&path), Ok(Node::Folder)) {
                    return opening.folder_at(IpcFolder::Shared(path));
                }
                if opening.folder {
                    self.pod.files().get(&path)?;
                    return Err(IpcError::NotFolder);
                }
                let segment = self.pod.open_file(&self.memory, &path, creation)?;
                if opening.truncate && write {
                    segment.set_size(0)?;
                }
                Ok(Opened::File(IpcFile::Segment(SegmentFile { segment, read, write })))
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
            _ if path.is_empty() => Ok(folder.stat()),
            IpcFolder::Queues => Ok(stat_of_queue(&*self.queue(&path)?)),
            IpcFolder::Shared(_) => Ok(match self.pod.files().get(&path)? {
                Node::Folder => folder.stat(),
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
            IpcFolder::Shared(path) => {
                let files = self.pod.files();
                let names = files.list(path)?.into_iter();
                Ok(names.map(|(name, node)| (name, matches!(node, Node::Folder))).collect())
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
            IpcFolder::Shared(_) => self.pod.files().remove_file(&path).map(drop),
        }
    }

    /// # Errors
    /// Those of mkdir(2).
    pub fn create_folder(&self, folder: &IpcFolder, path: &str) -> Result<(), IpcError> {
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues => Err(IpcError::NotPermitted),
            IpcFolder::Shared(_) => self.pod.create_folder(&self.memory, &path),
        }
    }

    /// # Errors
    /// Those of rmdir(2).
    pub fn remove_folder(&self, folder: &IpcFolder, path: &str) -> Result<(), IpcError> {
        let path = folder.path(path)?;
        match folder {
            IpcFolder::Queues if path.is_empty() => Err(IpcError::NotPermitted),
            IpcFolder::Queues => self.queue(&path).and(Err(IpcError::NotFolder)),
            IpcFolder::Shared(_) => self.pod.files().remove_folder(&path),
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
            (IpcFolder::Shared(_), IpcFolder::Shared(_)) => {
                let (from, to) = (folder.path(path)?, other.path(name)?);
                self.pod.files().rename(&from, &to)
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
            Self::Shared(folder) => names::path(folder, text),
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

impl IpcFile {
    /// What is known of it.
    pub fn stat(&self) -> IpcStat {
        match self {
            Self::Queue(file) => stat_of_queue(&file.queue),
            Self::Segment(file) => stat_of_segment(&file.segment),
        }
    }

    /// Whether it was opened to be read, and to be written to.
    pub fn access(&self) -> (bool, bool) {
        match self {
            Self::Queue(file) => (file.read, file.write),
            Self::Segment(file) => (file.read, file.write),
        }
    }

    /// # Errors
    /// [`IpcError::Invalid`] for a queue, or what was not opened for it, and those of
    /// [`Segment::set_size`].
    pub fn set_size(&self, size: u64) -> Result<(), IpcError> {
        match self {
            Self::Segment(file) if file.write => file.segment.set_size(size),
            Self::Queue(_) | Self::Segment(_) => Err(IpcError::Invalid),
        }
    }

    /// Whether its reads take messages, which have no offsets.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Queue(QueueFile { write: true, .. }))
    }

    /// Some bytes: what is at `offset`, or of a queue the next that there are.
    ///
    /// # Errors
    /// [`IpcError::BadDescriptor`] for what was not opened for it, and those of the wait.
    ///
    /// # Cancel safety
    /// Safe: what it does not return stays.
    pub async fn read(
        &self,
        run: &RunIpc,
        offset: u64,
        most: usize,
        patience: Patience,
    ) -> Result<Bytes, IpcError> {
        match self {
            Self::Queue(file) => file.read(run, offset, most, patience).await,
            Self::Segment(file) => file.read(offset, most),
        }
    }

    /// Writes all of `bytes`: at `offset`, at the end without one, or to a queue as one message.
    ///
    /// # Errors
    /// [`IpcError::BadDescriptor`] for what was not opened for it, those of the wait, and those of
    /// [`Segment::write`].
    ///
    /// # Cancel safety
    /// Safe: all is written when it returns, and else nothing.
    pub async fn write(
        &self,
        run: &RunIpc,
        offset: Option<u64>,
        bytes: &[u8],
        patience: Patience,
    ) -> Result<(), IpcError> {
        match self {
            Self::Queue(file) => file.write(run, bytes, patience).await,
            Self::Segment(file) => file.write(run, offset, bytes),
        }
    }

    /// How long a message may be that is written to it, if it is a queue.
    pub fn most_at_once(&self) -> Option<usize> {
        match self {
            Self::Queue(file) => Some(file.queue.status().size.message_bytes),
            Self::Segment(_) => None,
        }
    }

    /// Waits until a read would have something.
    ///
    /// # Errors
    /// [`IpcError::Interrupted`]
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn readable(&self, run: &RunIpc) -> Result<(), IpcError> {
        let Self::Queue(file) = self else { return Ok(()) };
        if !self.is_stream() {
            return Ok(());
        }
        let mut turn = file.queue.turn(Side::Receivers);
        wait(Patience::Endless, &run.interrupt, |context| {
            if !file.rest().is_empty() {
                return Poll::Ready(Ok(()));
            }
            file.queue.poll_readable(context, &mut turn).map(Ok)
        })
        .await
    }

    /// Waits until a write would have room.
    ///
    /// # Errors
    /// [`IpcError::Interrupted`]
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn writable(&self, run: &RunIpc) -> Result<(), IpcError> {
        let Self::Queue(file) = self else { return Ok(()) };
        let mut turn = file.queue.turn(Side::Senders);
        wait(Patience::Endless, &run.interrupt, |context| {
            file.queue.poll_writable(context, &mut turn).map(Ok)
        })
        .await
    }

    /// Whether a write would have room now.
    pub fn has_room(&self) -> bool {
        let Self::Queue(file) = self else { return true };
        let status = file.queue.status();
        status.messages < status.size.messages
    }

    /// The queue that it is.
    pub fn queue(&self) -> Option<&Arc<MessageQueue>> {
        match self {
            Self::Queue(file) => Some(&file.queue),
            Self::Segment(_) => None,
        }
    }
}

impl QueueFile {
    async fn read(
        &self,
        run: &RunIpc,
        offset: u64,
        most: usize,
        patience: Patience,
    ) -> Result<Bytes, IpcError> {
        if !self.read {
            return Err(IpcError::BadDescriptor);
        }
        if !self.write {
            let text = Bytes::from(self.text());
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
            return Ok(text.slice(start..text.len().min(start.saturating_add(most))));
        }
        if most == 0 {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = self.take_rest(most) {
            return Ok(bytes);
        }
        // All of it is taken: what does not fit is kept here.
        let message = self.queue.receive(usize::MAX, patience, &run.interrupt).await?;
        let mut body = Bytes::from(message.body);
        if body.len() <= most {
            return Ok(body);
        }
        let some = body.split_to(most);
        self.rest().push_back((body, message.charge));
        Ok(some)
    }

    async fn write(&self, run: &RunIpc, bytes: &[u8], patience: Patience) -> Result<(), IpcError> {
        if !self.write {
            return Err(IpcError::BadDescriptor);
        }
        let size = self.queue.status().size;
        size.admits(bytes.len(), 0)?;
        let message = Message { priority: 0, body: bytes.into(), charge: run.charge(bytes.len())? };
        self.queue.send(message, patience, &run.interrupt).await
    }

    /// What Linux shows of a queue. Nobody is notified here.
    fn text(&self) -> String {
        let bytes = self.queue.status().bytes;
        format!("QSIZE:{bytes:<10} NOTIFY:{:<5} SIGNO:{:<5} NOTIFY_PID:{:<6}\n", 0, 0, 0)
    }

    fn take_rest(&self, most: usize) -> Option<Bytes> {
        let mut rest = self.rest();
        let (bytes, _held) = rest.front_mut()?;
        let some = bytes.split_to(most.min(bytes.len()));
        if bytes.is_empty() {
            rest.pop_front();
        }
        Some(some)
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, VecDeque<(Bytes, Held)>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SegmentFile {
    fn read(&self, offset: u64, most: usize) -> Result<Bytes, IpcError> {
        if !self.read {
            return Err(IpcError::BadDescriptor);
        }
        let left = self.segment.size().saturating_sub(offset);
        let mut bytes = vec![0; most.min(usize::try_from(left).unwrap_or(usize::MAX))];
        let length = self.segment.read(offset, &mut bytes);
        bytes.truncate(length);
        Ok(bytes.into())
    }

    fn write(&self, run: &RunIpc, offset: Option<u64>, bytes: &[u8]) -> Result<(), IpcError> {
        if !self.write {
            return Err(IpcError::BadDescriptor);
        }
        match offset {
            Some(offset) => self.segment.write(&run.memory, offset, bytes),
            None => self.segment.append(&run.memory, bytes).map(drop),
        }
    }
}

fn stat_of_queue(queue: &MessageQueue) -> IpcStat {
    IpcStat { folder: false, size: QUEUE_FILE, id: queue.id() }
}

fn stat_of_segment(segment: &Segment) -> IpcStat {
    IpcStat { folder: false, size: segment.size(), id: segment.id() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run() -> RunIpc {
        RunIpc::apart()
    }

    fn shared() -> IpcFolder {
        IpcFolder::Shared(String::new())
    }

    const READ: Opening = Opening {
        creation: Creation::Never,
        folder: false,
        truncate: false,
        read: true,
        write: false,
    };
    const WRITE: Opening = Opening { read: false, write: true, ..READ };
    const CREATE: Opening = Opening { creation: Creation::IfMissing, ..WRITE };

    fn file(opened: Result<Opened, IpcError>) -> IpcFile {
        match opened {
            Ok(Opened::File(file)) => file,
            other => panic!("{other:?}"),
        }
    }

    async fn read(run: &RunIpc, file: &IpcFile, most: usize) -> Result<String, IpcError> {
        let bytes = file.read(run, 0, most, Patience::None).await?;
        Ok(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_write_is_a_message_and_a_read_takes_one() {
        let run = run();
        let open = |opening| run.open(&IpcFolder::Queues, "jobs", opening);
        assert_eq!(open(READ).unwrap_err(), IpcError::NotFound);
        let (sender, status) = (file(open(CREATE)), file(open(READ)));
        let both = file(open(Opening { read: true, ..WRITE }));
        for text in ["first", "second", ""] {
            sender.write(&run, Some(0), text.as_bytes(), Patience::None).await.unwrap();
        }
        assert_eq!(
            sender.write(&run, None, &[0; 8193], Patience::None).await,
            Err(IpcError::MessageSize)
        );
        assert_eq!(read(&run, &sender, 10).await, Err(IpcError::BadDescriptor));
        assert_eq!(
            status.write(&run, None, b"x", Patience::None).await,
            Err(IpcError::BadDescriptor)
        );
        let text = "QSIZE:11         NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n";
        assert_eq!(read(&run, &status, 100).await.as_deref(), Ok(text));
        assert_eq!(read(&run, &both, 3).await.as_deref(), Ok("fir"));
        assert_eq!(read(&run, &both, 100).await.as_deref(), Ok("st"));
        assert_eq!(read(&run, &both, 100).await.as_deref(), Ok("second"));
        assert_eq!(read(&run, &both, 100).await.as_deref(), Ok(""));
        assert_eq!(read(&run, &both, 100).await, Err(IpcError::WouldBlock));
    }

    #[test]
    fn the_folder_of_queues_holds_nothing_else() {
        let run = run();
        let queues = IpcFolder::Queues;
        file(run.open(&queues, "q", CREATE));
        assert_eq!(run.list(&queues), Ok(vec![("q".to_owned(), false)]));
        assert_eq!(run.stat(&queues, "q").map(|stat| (stat.folder, stat.size)), Ok((false, 80)));
        assert_eq!(run.create_folder(&queues, "f"), Err(IpcError::NotPermitted));
        assert_eq!(run.remove_folder(&queues, "q"), Err(IpcError::NotFolder));
        assert_eq!(run.rename((&queues, "q"), (&queues, "p")), Err(IpcError::NotPermitted));
        assert_eq!(run.rename((&shared(), "q"), (&queues, "p")), Err(IpcError::NotPermitted));
        assert_eq!(run.unlink(&queues, "../q"), Err(IpcError::NotPermitted));
        assert_eq!(run.open(&queues, "a/b", CREATE).unwrap_err(), IpcError::Access);
        let as_folder = Opening { folder: true, ..READ };
        assert_eq!(run.open(&queues, "q", as_folder).unwrap_err(), IpcError::NotFolder);
        assert!(matches!(run.open(&queues, ".", as_folder), Ok(Opened::Folder(IpcFolder::Queues))));
        run.unlink(&queues, "q").unwrap();
        assert_eq!(run.stat(&queues, "q"), Err(IpcError::NotFound));
    }

    #[tokio::test]
    async fn segments_are_files_in_folders() {
        let run = run();
        let shm = shared();
        run.create_folder(&shm, "f").unwrap();
        let Ok(Opened::Folder(folder)) = run.open(&shm, "f", READ) else { panic!("no folder") };
        assert_eq!(run.open(&shm, "f", WRITE).unwrap_err(), IpcError::IsFolder);
        let written = file(run.open(&folder, "x", CREATE));
        written.write(&run, Some(2), b"ab", Patience::None).await.unwrap();
        written.write(&run, None, b"c", Patience::None).await.unwrap();
        let again = file(run.open(&shm, "f/x", READ));
        assert_eq!(read(&run, &again, 100).await.as_deref(), Ok("\0\0abc"));
        assert_eq!(again.set_size(1), Err(IpcError::Invalid));
        assert_eq!(run.stat(&folder, "x").unwrap(), again.stat());
        run.rename((&folder, "x"), (&shm, "y")).unwrap();
        assert_eq!(run.list(&shm), Ok(vec![("f".to_owned(), true), ("y".to_owned(), false)]));
        file(run.open(&shm, "y", Opening { truncate: true, ..WRITE }));
        assert_eq!(again.stat().size, 0);
        run.remove_folder(&shm, "f").unwrap();
        assert_eq!(run.list(&folder), Err(IpcError::NotFound));
        let segment = run.pod().open_segment(run.memory(), "/y", Creation::Never).unwrap();
        assert_eq!(segment.id(), again.stat().id);
    }
}
