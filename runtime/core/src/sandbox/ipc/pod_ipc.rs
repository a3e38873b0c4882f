//! All queues and segments of one Pod, by name and by key.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::charges::Charges;
use super::keyed_queue::KeyedQueue;
use super::message_queue::MessageQueue;
use super::names::name;
use super::queue::QueueSize;
use super::quota::Quota;
use super::segment::{Segment, SegmentKind};
use super::tree::{Node, ROOT, Tree};
use super::{IpcError, IpcLimits};
use crate::resources::memory::{ContainerMemory, Held};

/// What the host holds for a queue, a segment or a folder, beside its name and its content.
const OBJECT: usize = 512;

/// Pages of `/dev/shm` for one name of a file or folder there.
const PAGE_FOR_EACH_NAME: usize = 4096;

/// The number of `/dev/mqueue`, as [`ROOT`] is that of `/dev/shm`. All others come after these.
pub(super) const QUEUES: u64 = ROOT + 1;

/// The IPC of a Pod: all its containers have the same, and no other Pod does. It ends with the Pod.
#[derive(Debug)]
pub struct PodIpc {
    limits: IpcLimits,
    last_id: AtomicU64,
    queues: Mutex<BTreeMap<String, Arc<MessageQueue>>>,
    keyed_queues: Mutex<BTreeMap<u32, Arc<KeyedQueue>>>,
    keyed_segments: Mutex<BTreeMap<u32, Arc<Segment>>>,
    files: Mutex<Files>,
    places: Places,
}

/// The names below `/dev/shm`.
pub(super) type Files = Tree<Arc<Segment>, Charges>;

/// What there may be of each.
#[derive(Debug)]
struct Places {
    queues: Arc<Quota>,
    keyed_queues: Arc<Quota>,
    keyed_segments: Arc<Quota>,
    shared_bytes: Arc<Quota>,
}

/// Whether an object may be new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It has to be there: no `O_CREAT`.
    Never,
    /// It is made if it is not there: `O_CREAT`.
    IfMissing,
    /// It must not be there: `O_CREAT | O_EXCL`.
    Always,
}

impl Creation {
    /// By the two flags; the second alone means nothing.
    pub fn of(create: bool, exclusive: bool) -> Self {
        match (create, exclusive) {
            (false, _) => Self::Never,
            (true, false) => Self::IfMissing,
            (true, true) => Self::Always,
        }
    }

    /// What becomes of one that is there, or is not: whether it is to be made.
    fn of_found<Found>(self, found: Option<Found>) -> Result<Option<Found>, IpcError> {
        match (self, found) {
            (Self::Always, Some(_)) => Err(IpcError::Exists),
            (Self::Never, None) => Err(IpcError::NotFound),
            (_, found) => Ok(found),
        }
    }
}

impl PodIpc {
    /// Of a Pod with these limits.
    pub fn new(limits: IpcLimits) -> Arc<Self> {
        let bytes = usize::try_from(limits.shared_bytes).unwrap_or(usize::MAX);
        let places = Places {
            queues: Quota::new(limits.queues),
            keyed_queues: Quota::new(limits.keyed_queues),
            keyed_segments: Quota::new(limits.keyed_segments),
            shared_bytes: Quota::new(bytes),
        };
        Arc::new(Self {
            limits,
            last_id: AtomicU64::new(QUEUES),
            queues: Mutex::default(),
            keyed_queues: Mutex::default(),
            keyed_segments: Mutex::default(),
            files: Mutex::default(),
            places,
        })
    }

    /// The queue of that name. `memory` pays for a new one; without a size it has the default.
    ///
    /// # Errors
    /// Those of mq_open(3): [`IpcError::Exists`], [`IpcError::NotFound`], [`IpcError::Invalid`] for a
    /// size of nothing or above the limits, [`IpcError::NoSpace`], [`IpcError::OutOfMemory`], and those
    /// of the name.
    pub fn open_queue(
        &self,
        memory: &Arc<ContainerMemory>,
        text: &str,
        creation: Creation,
        size: Option<QueueSize>,
    ) -> Result<Arc<MessageQueue>, IpcError> {
        let name = name(text)?;
        let mut queues = lock(&self.queues);
        if let Some(queue) = creation.of_found(queues.get(name))? {
            return Ok(Arc::clone(queue));
        }
        let size = self.queue_size(size)?;
        let place = self.places.queues.take(1)?;
        let held = hold(memory, OBJECT + name.len())?;
        let queue = Arc::new(MessageQueue::new(self.next_id(), size, place, held));
        queues.insert(name.to_owned(), Arc::clone(&queue));
        Ok(queue)
    }

    fn queue_size(&self, size: Option<QueueSize>) -> Result<QueueSize, IpcError> {
        let IpcLimits { messages, message_bytes, default_messages, default_message_bytes, .. } =
            self.limits;
        let Some(size) = size else {
            return Ok(QueueSize {
                messages: default_messages.min(messages),
                message_bytes: default_message_bytes.min(message_bytes),
            });
        };
        let fits = (1..=messages).contains(&size.messages)
            && (1..=message_bytes).contains(&size.message_bytes);
        if fits { Ok(size) } else { Err(IpcError::Invalid) }
    }

    /// Takes a queue's name away; who has it open goes on with it.
    ///
    /// # Errors
    /// [`IpcError::NotFound`], and those of the name.
    pub fn unlink_queue(&self, text: &str) -> Result<(), IpcError> {
        let removed = lock(&self.queues).remove(name(text)?);
        removed.map(drop).ok_or(IpcError::NotFound)
    }

    /// The names of all queues, without a slash.
    pub fn queue_names(&self) -> Vec<String> {
        lock(&self.queues).keys().cloned().collect()
    }

    /// The System V queue of that key; 0 makes a new one that nobody else finds.
    ///
    /// # Errors
    /// Those of msgget(2): [`IpcError::Exists`], [`IpcError::NotFound`], [`IpcError::NoSpace`],
    /// [`IpcError::OutOfMemory`].
    pub fn keyed_queue(
        &self,
        memory: &Arc<ContainerMemory>,
        key: u32,
        creation: Creation,
    ) -> Result<Arc<KeyedQueue>, IpcError> {
        let mut queues = lock(&self.keyed_queues);
        let creation = if key == PRIVATE { Creation::Always } else { creation };
        if let Some(queue) = creation.of_found(queues.get(&key))? {
            return Ok(Arc::clone(queue));
        }
        let life = (self.places.keyed_queues.take(1)?, hold(memory, OBJECT)?);
        let IpcLimits { keyed_message_bytes, keyed_queue_bytes, .. } = self.limits;
        let queue = Arc::new(KeyedQueue::new(key, keyed_message_bytes, keyed_queue_bytes, life));
        if key != PRIVATE {
            queues.insert(key, Arc::clone(&queue));
        }
        Ok(queue)
    }

    /// Ends a System V queue for all who have it.
    pub fn remove_keyed_queue(&self, queue: &Arc<KeyedQueue>) {
        let mut queues = lock(&self.keyed_queues);
        // Another may have its key by now.
        if queues.get(&queue.key()).is_some_and(|known| Arc::ptr_eq(known, queue)) {
            queues.remove(&queue.key());
        }
        drop(queues);
        queue.remove();
    }

    /// The System V segment of that key; 0 makes a new one that nobody else finds.
    ///
    /// # Errors
    /// Those of shmget(2): [`IpcError::Exists`], [`IpcError::NotFound`], [`IpcError::Invalid`] for a size
    /// that is nothing, above the limit or above that of the one that is there, [`IpcError::NoSpace`],
    /// [`IpcError::OutOfMemory`].
    pub fn keyed_segment(
        &self,
        memory: &Arc<ContainerMemory>,
        key: u32,
        size: u64,
        creation: Creation,
    ) -> Result<Arc<Segment>, IpcError> {
        let mut segments = lock(&self.keyed_segments);
        let creation = if key == PRIVATE { Creation::Always } else { creation };
        if let Some(segment) = creation.of_found(segments.get(&key))? {
            let fits = size <= segment.size();
            return if fits { Ok(Arc::clone(segment)) } else { Err(IpcError::Invalid) };
        }
        if size == 0 || size > self.limits.keyed_segment_bytes {
            return Err(IpcError::Invalid);
        }
        let kind = SegmentKind::Keyed {
            _place: self.places.keyed_segments.take(1)?,
            _held: hold(memory, OBJECT)?,
        };
        let segment = Segment::new(self.next_id(), &self.places.shared_bytes, kind, size)?;
        if key != PRIVATE {
            segments.insert(key, Arc::clone(&segment));
        }
        Ok(segment)
    }

    /// Takes a segment's key away; who has it goes on with it.
    ///
    /// # Errors
    /// [`IpcError::NotFound`]
    pub fn remove_keyed_segment(&self, key: u32) -> Result<(), IpcError> {
        lock(&self.keyed_segments).remove(&key).map(drop).ok_or(IpcError::NotFound)
    }

    /// The segment of that name, which is a file of `/dev/shm`.
    ///
    /// # Errors
    /// Those of shm_open(3): [`IpcError::Exists`], [`IpcError::NotFound`], [`IpcError::NoSpace`],
    /// [`IpcError::OutOfMemory`], [`IpcError::IsFolder`], and those of the name.
    pub fn open_segment(
        &self,
        memory: &Arc<ContainerMemory>,
        text: &str,
        creation: Creation,
    ) -> Result<Arc<Segment>, IpcError> {
        self.open_file(memory, name(text)?, creation)
    }

    /// Takes a segment's name away; who has it open goes on with it.
    ///
    /// # Errors
    /// [`IpcError::NotFound`], [`IpcError::IsFolder`], and those of the name.
    pub fn unlink_segment(&self, text: &str) -> Result<(), IpcError> {
        self.files().remove_file(name(text)?).map(drop)
    }

    /// The file at a path below `/dev/shm`.
    pub(super) fn open_file(
        &self,
        memory: &Arc<ContainerMemory>,
        path: &str,
        creation: Creation,
    ) -> Result<Arc<Segment>, IpcError> {
        let mut files = self.files();
        let found = match files.get(path) {
            Ok(Node::File(file)) => Some(Arc::clone(file)),
            Ok(Node::Folder(_)) if creation == Creation::Always => return Err(IpcError::Exists),
            Ok(Node::Folder(_)) => return Err(IpcError::IsFolder),
            Err(IpcError::NotFound) => None,
            Err(error) => return Err(error),
        };
        if let Some(file) = creation.of_found(found)? {
            return Ok(file);
        }
        files.check_free(path)?;
        let charges = self.charge_name(&files, memory, path)?;
        let kind = SegmentKind::Named;
        let file = Segment::new(self.next_id(), &self.places.shared_bytes, kind, 0)?;
        files.insert(path.to_owned(), Node::File(Arc::clone(&file)), charges)?;
        Ok(file)
    }

    /// A new folder at a path below `/dev/shm`.
    pub(super) fn create_folder(
        &self,
        memory: &Arc<ContainerMemory>,
        path: &str,
    ) -> Result<(), IpcError> {
        let mut files = self.files();
        files.check_free(path)?;
        let charges = self.charge_name(&files, memory, path)?;
        files.insert(path.to_owned(), Node::Folder(self.next_id()), charges)
    }

    /// Moves a file, or a folder with all in it, below `/dev/shm`. `memory` pays for what becomes longer.
    pub(super) fn rename(
        &self,
        memory: &Arc<ContainerMemory>,
        from: &str,
        to: &str,
    ) -> Result<(), IpcError> {
        let pay = |charges: &mut Charges, length: usize| charges.set(memory, OBJECT + length);
        self.files().rename(from, to, pay)
    }

    /// What one more name costs: memory, and there are as many as there are pages.
    fn charge_name(
        &self,
        files: &Files,
        memory: &Arc<ContainerMemory>,
        path: &str,
    ) -> Result<Charges, IpcError> {
        if files.len() >= self.places.shared_bytes.most() / PAGE_FOR_EACH_NAME {
            return Err(IpcError::NoSpace);
        }
        let mut charges = Charges::default();
        charges.grow(memory, OBJECT + path.len())?;
        Ok(charges)
    }

    /// The names below `/dev/shm`, for a glance.
    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        lock(&self.files)
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }
}

/// `IPC_PRIVATE`
const PRIVATE: u32 = 0;

fn hold(memory: &Arc<ContainerMemory>, bytes: usize) -> Result<Held, IpcError> {
    memory.hold(bytes).map_err(|_| IpcError::OutOfMemory)
}

fn lock<Value>(mutex: &Mutex<Value>) -> MutexGuard<'_, Value> {
    // Each change is complete before anything can panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ipc(limits: IpcLimits) -> (Arc<PodIpc>, Arc<ContainerMemory>) {
        (PodIpc::new(limits), ContainerMemory::apart(64 << 20))
    }

    #[test]
    fn a_queue_is_opened_as_by_mq_open() {
        let (ipc, memory) = ipc(IpcLimits::default());
        let open = |name, creation, size: Option<(usize, usize)>| {
            let size = size.map(|(messages, message_bytes)| QueueSize { messages, message_bytes });
            ipc.open_queue(&memory, name, creation, size).map(|queue| queue.status().size)
        };
        let size = |messages, message_bytes| Ok(QueueSize { messages, message_bytes });
        use Creation::{Always, IfMissing, Never};
        for (name, creation, wish, answer) in [
            ("/a", Never, None, Err(IpcError::NotFound)),
            ("/a", IfMissing, Some((3, 7)), size(3, 7)),
            ("/a", IfMissing, Some((9, 9)), size(3, 7)),
            ("/a", Never, None, size(3, 7)),
            ("/a", Always, None, Err(IpcError::Exists)),
            ("/b", Always, None, size(10, 8192)),
            ("/c", Always, Some((0, 1)), Err(IpcError::Invalid)),
            ("/c", Always, Some((1, 0)), Err(IpcError::Invalid)),
            ("/c", Always, Some((11, 1)), Err(IpcError::Invalid)),
            ("/c", Always, Some((1, 8193)), Err(IpcError::Invalid)),
            ("/c", Always, Some((usize::MAX, usize::MAX)), Err(IpcError::Invalid)),
            ("/../c", Always, None, Err(IpcError::Access)),
        ] {
            assert_eq!(open(name, creation, wish), answer, "{name} {creation:?} {wish:?}");
        }
        assert_eq!(ipc.queue_names(), ["a", "b"]);
    }

    #[test]
    fn a_queue_without_a_name_counts_until_it_is_closed() {
        let (ipc, memory) = ipc(IpcLimits { queues: 1, ..IpcLimits::default() });
        let open = || ipc.open_queue(&memory, "/a", Creation::Always, None);
        let first = open().unwrap();
        ipc.unlink_queue("/a").unwrap();
        assert_eq!(ipc.unlink_queue("/a"), Err(IpcError::NotFound));
        assert_eq!(open().unwrap_err(), IpcError::NoSpace);
        drop(first);
        open().unwrap();
    }

    #[test]
    fn names_and_queues_are_memory_of_their_makers() {
        let (ipc, _) = ipc(IpcLimits { queues: usize::MAX, ..IpcLimits::default() });
        let poor = ContainerMemory::apart(0);
        let all = (0..).map(|number| {
            ipc.open_queue(&poor, &number.to_string(), Creation::Always, None).map(drop)
        });
        let refused = all.take(1_000_000).find_map(Result::err);
        assert_eq!(refused, Some(IpcError::OutOfMemory));
        // Which leaves room for nothing else, until the Pod is gone.
        let segment = ipc.open_segment(&poor, "/a", Creation::Always).map(drop);
        assert_eq!(segment, Err(IpcError::OutOfMemory));
        drop(ipc);
        assert_eq!(poor.of_host(), 0);
    }

    #[test]
    fn files_are_no_more_than_pages() {
        let (ipc, memory) = ipc(IpcLimits { shared_bytes: 3 * 4096, ..IpcLimits::default() });
        ipc.create_folder(&memory, "f").unwrap();
        ipc.open_segment(&memory, "/a", Creation::IfMissing).unwrap();
        ipc.open_file(&memory, "f/b", Creation::IfMissing).unwrap();
        let more = ipc.open_segment(&memory, "/c", Creation::IfMissing).map(drop);
        assert_eq!(more, Err(IpcError::NoSpace));
        assert_eq!(ipc.create_folder(&memory, "c"), Err(IpcError::NoSpace));
        assert_eq!(ipc.unlink_segment("/f"), Err(IpcError::IsFolder));
        ipc.unlink_segment("/a").unwrap();
        ipc.create_folder(&memory, "c").unwrap();
    }

    #[test]
    fn a_rename_is_paid_for_by_who_makes_paths_longer() {
        let (ipc, memory) = ipc(IpcLimits::default());
        ipc.create_folder(&memory, "f").unwrap();
        ipc.create_folder(&memory, "f/g").unwrap();
        let before = memory.of_host();
        let other = ContainerMemory::apart(1 << 20);
        let long = "x".repeat(101);
        ipc.rename(&other, "f", &long).unwrap();
        assert_eq!((memory.of_host(), other.of_host()), (before, 200));
        ipc.rename(&memory, &long, "f").unwrap();
        assert_eq!((memory.of_host(), other.of_host()), (before, 0));
        let poor = ContainerMemory::apart(0);
        let all = poor.hold(2 << 20).unwrap();
        assert_eq!(ipc.rename(&poor, "f", &long), Err(IpcError::OutOfMemory));
        drop(all);
        assert_eq!((memory.of_host(), poor.of_host()), (before, 0));
        ipc.create_folder(&memory, &long).unwrap();
    }

    #[test]
    fn an_open_segment_outlives_its_name() {
        let (ipc, memory) = ipc(IpcLimits::default());
        let open = |creation| ipc.open_segment(&memory, "/a", creation);
        let first = open(Creation::Always).unwrap();
        first.write(&memory, 0, b"first").unwrap();
        ipc.unlink_segment("/a").unwrap();
        let second = open(Creation::Always).unwrap();
        assert_eq!((first.size(), second.size()), (5, 0));
        assert_ne!(first.id(), second.id());
        assert_eq!(open(Creation::Always).unwrap_err(), IpcError::Exists);
    }

    #[test]
    fn keyed_ones_are_got_as_by_shmget_and_msgget() {
        let limits = IpcLimits {
            keyed_segments: 2,
            keyed_segment_bytes: 100,
            keyed_queues: 1,
            ..IpcLimits::default()
        };
        let (ipc, memory) = ipc(limits);
        let segment = |key, size, creation| {
            ipc.keyed_segment(&memory, key, size, creation).map(|segment| segment.size())
        };
        use Creation::{Always, IfMissing, Never};
        assert_eq!(segment(1, 10, Never), Err(IpcError::NotFound));
        assert_eq!(segment(1, 0, IfMissing), Err(IpcError::Invalid));
        assert_eq!(segment(1, 101, IfMissing), Err(IpcError::Invalid));
        assert_eq!(segment(1, 10, IfMissing), Ok(10));
        assert_eq!(segment(1, 11, Never), Err(IpcError::Invalid));
        assert_eq!(segment(1, 0, Never), Ok(10));
        assert_eq!(segment(1, 10, Always), Err(IpcError::Exists));
        let private = ipc.keyed_segment(&memory, 0, 10, Never).unwrap();
        assert_eq!(segment(2, 10, Always), Err(IpcError::NoSpace));
        drop(private);
        assert_eq!(segment(2, 10, Always), Ok(10));
        ipc.remove_keyed_segment(2).unwrap();
        assert_eq!(ipc.remove_keyed_segment(2), Err(IpcError::NotFound));

        let queue = |key, creation| ipc.keyed_queue(&memory, key, creation);
        let first = queue(1, Always).unwrap();
        assert!(Arc::ptr_eq(&first, &queue(1, Never).unwrap()));
        assert_eq!(queue(2, Always).unwrap_err(), IpcError::NoSpace);
        ipc.remove_keyed_queue(&first);
        let second = queue(1, Always).unwrap();
        ipc.remove_keyed_queue(&first);
        assert!(Arc::ptr_eq(&second, &queue(1, Never).unwrap()));
    }
}
