use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use bytes::Bytes;

use proptest::prelude::*;

use super::lane::JOINED_WRITE;
use super::*;
use crate::resources::memory::ContainerMemory;
use crate::sandbox::network::NetworkError;

const CAPACITY: usize = 64 * 1024;

fn memory() -> Arc<ContainerMemory> {
    ContainerMemory::apart(u64::MAX)
}

fn pair() -> (MemoryStream, MemoryStream) {
    pair_of(CAPACITY, &memory())
}

fn pair_of(receive_buffer: usize, memory: &Arc<ContainerMemory>) -> (MemoryStream, MemoryStream) {
    let end = || End { receive_buffer, memory };
    MemoryStream::pair(end(), end())
}

fn text(bytes: &str) -> Bytes {
    Bytes::copy_from_slice(bytes.as_bytes())
}

/// Counts how often it is woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Alarm {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_block_changes_hands_without_a_copy() {
    let (near, far) = pair();
    let block = Bytes::from(vec![7; 32 * 1024]);
    let place = block.as_ptr();
    near.write(block).unwrap();
    assert_eq!(far.try_read(usize::MAX).unwrap().unwrap().as_ptr(), place);
}

#[test]
fn small_writes_are_joined_while_nobody_reads() {
    let (near, far) = pair();
    for byte in b"hello, reader" {
        near.write(Bytes::copy_from_slice(&[*byte])).unwrap();
    }
    assert_eq!(far.try_read(100).unwrap().unwrap(), "h");
    assert_eq!(far.try_read(4).unwrap().unwrap(), "ello");
    assert_eq!(far.try_read(100).unwrap().unwrap(), ", reader");
    assert_eq!(far.try_read(100).unwrap(), None);
}

#[test]
fn the_order_survives_joined_and_whole_chunks() {
    let (near, far) = pair();
    let big = vec![b'x'; JOINED_WRITE + 1];
    for part in [&b"a"[..], b"b", &big, b"c", &big, b"d"] {
        near.write(Bytes::copy_from_slice(part)).unwrap();
    }
    near.shutdown_write();
    let mut all = Vec::new();
    loop {
        let bytes = far.try_read(1000).unwrap().unwrap();
        if bytes.is_empty() {
            break;
        }
        all.extend_from_slice(&bytes);
    }
    let expected = [&b"ab"[..], &big, b"c", &big, b"d"].concat();
    assert_eq!(all, expected);
}

#[test]
fn a_writer_waits_while_the_pipe_is_full_and_wakes_at_half() {
    let (near, far) = pair();
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    let cx = Context::from_waker(&waker);

    assert_eq!(near.write_permit(), Ok(CAPACITY));
    near.write(Bytes::from(vec![0; CAPACITY])).unwrap();
    assert_eq!(near.write_permit(), Ok(0));
    assert_eq!(near.try_write_from(b"more"), Ok(None));
    assert!(near.poll_writable(&cx).is_pending());

    far.try_read(CAPACITY / 4).unwrap();
    assert_eq!(alarm.rings(), 0, "three quarters full");
    far.try_read(CAPACITY / 4).unwrap();
    assert_eq!(alarm.rings(), 1, "half empty");
    assert!(near.poll_writable(&cx).is_ready());
    assert_eq!(near.write_permit(), Ok(CAPACITY / 2));
}

#[test]
fn a_reader_wakes_for_bytes_the_end_and_a_reset() {
    for event in [
        (|near: &MemoryStream| near.write(text("x")).unwrap()) as fn(&MemoryStream),
        MemoryStream::shutdown_write,
        MemoryStream::reset,
    ] {
        let (near, far) = pair();
        let alarm = Arc::new(Alarm::default());
        let waker = Waker::from(Arc::clone(&alarm));
        let cx = Context::from_waker(&waker);
        assert!(far.poll_readable(&cx).is_pending());
        event(&near);
        assert_eq!(alarm.rings(), 1);
        assert!(far.poll_readable(&cx).is_ready());
    }
}

#[test]
fn who_only_looks_does_not_take_a_waiters_place() {
    let (near, far) = pair();
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    assert!(far.poll_readable(&Context::from_waker(&waker)).is_pending());
    assert!(far.poll_readable(&Context::from_waker(Waker::noop())).is_pending());
    near.write(text("x")).unwrap();
    assert_eq!(alarm.rings(), 1);
}

#[test]
fn a_half_close_leaves_the_other_direction_open() {
    let (near, far) = pair();
    near.write(text("question")).unwrap();
    near.shutdown_write();
    assert_eq!(near.write(text("x")), Err(NetworkError::BrokenPipe));
    assert_eq!(near.write_permit(), Err(NetworkError::BrokenPipe));
    assert_eq!(far.try_read(100).unwrap().unwrap(), "question");
    assert_eq!(far.try_read(100).unwrap().unwrap(), "");
    far.write(text("answer")).unwrap();
    assert_eq!(near.try_read(100).unwrap().unwrap(), "answer");
}

#[test]
fn after_a_clean_close_the_peer_reads_the_rest_and_cannot_write() {
    let (near, far) = pair();
    near.write(text("bye")).unwrap();
    drop(near);
    assert_eq!(far.write(text("x")), Err(NetworkError::BrokenPipe));
    assert_eq!(far.try_read(100).unwrap().unwrap(), "bye");
    assert_eq!(far.try_read(100).unwrap().unwrap(), "");
}

#[test]
fn a_close_with_unread_bytes_is_a_reset() {
    let (near, far) = pair();
    far.write(text("never read")).unwrap();
    near.write(text("bye")).unwrap();
    drop(near);
    assert_eq!(far.write(text("x")), Err(NetworkError::ConnectionReset));
    assert_eq!(far.try_read(100).unwrap().unwrap(), "bye", "what had arrived can be read");
    assert_eq!(far.try_read(100), Err(NetworkError::ConnectionReset));
}

#[test]
fn who_has_seen_the_end_is_not_told_of_a_reset() {
    let (near, far) = pair();
    near.shutdown_write();
    far.write(text("never read")).unwrap();
    drop(near);
    assert_eq!(far.try_read(100).unwrap().unwrap(), "");
    assert_eq!(far.write(text("x")), Err(NetworkError::BrokenPipe));
}

#[test]
fn an_abort_is_a_reset_for_both() {
    let (near, far) = pair();
    near.write(text("sent before")).unwrap();
    far.write(text("unread")).unwrap();
    near.reset();
    assert_eq!(far.try_read(100).unwrap().unwrap(), "sent before");
    assert_eq!(far.try_read(100), Err(NetworkError::ConnectionReset));
    assert_eq!(far.write_permit(), Err(NetworkError::ConnectionReset));
    assert_eq!(near.try_read(100), Err(NetworkError::ConnectionReset));
    assert_eq!(near.write_permit(), Err(NetworkError::ConnectionReset));
}

#[test]
fn after_a_shutdown_of_reading_the_peer_never_waits() {
    let (near, far) = pair();
    far.write(text("unread")).unwrap();
    near.shutdown_read();
    assert_eq!(near.try_read(100).unwrap().unwrap(), "");
    for _ in 0..100 {
        far.write(Bytes::from(vec![0; CAPACITY])).unwrap();
    }
    assert_eq!(far.try_write_from(&[0; 10]), Ok(Some(10)));
    drop(near);
    assert_eq!(far.write_permit(), Err(NetworkError::ConnectionReset), "bytes were lost");
}

#[test]
fn a_writer_without_memory_waits_for_its_readers_and_still_gets_along() {
    // The first bytes that the host holds are free: they are gone.
    let memory = ContainerMemory::apart(CAPACITY as u64 / 2);
    let _free = memory.hold(2 << 20).unwrap();
    let (greedy, unread) = pair_of(CAPACITY, &memory);
    let (other, reader) = pair_of(CAPACITY, &memory);
    greedy.write(Bytes::from(vec![0; FREE_CAPACITY + CAPACITY / 2])).unwrap();
    assert_eq!(other.write_permit(), Ok(FREE_CAPACITY));
    assert_eq!(other.try_write_from(&[0; CAPACITY]), Ok(Some(FREE_CAPACITY)));
    assert_eq!(other.write_permit(), Ok(0));
    assert_eq!(other.try_write_from(b"x"), Ok(None));

    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    assert!(other.poll_writable(&Context::from_waker(&waker)).is_pending());
    reader.try_read(FREE_CAPACITY).unwrap();
    assert_eq!((alarm.rings(), other.write_permit()), (1, Ok(FREE_CAPACITY)));

    drop(unread);
    assert_eq!(other.write_permit(), Ok(CAPACITY / 2));
    drop((greedy, other, reader, _free));
    assert_eq!(memory.of_host(), 0);
}

#[test]
fn memory_that_went_elsewhere_after_the_permit_is_an_error() {
    let memory = ContainerMemory::apart(CAPACITY as u64);
    let _free = memory.hold(2 << 20).unwrap();
    let (near, far) = pair_of(CAPACITY, &memory);
    assert_eq!(near.write_permit(), Ok(CAPACITY));
    let _elsewhere = memory.hold(CAPACITY).unwrap();
    assert_eq!(near.write(Bytes::from(vec![0; CAPACITY])), Err(NetworkError::NoBuffers));
    near.write(Bytes::from(vec![0; FREE_CAPACITY])).unwrap();
    assert_eq!(far.try_read(CAPACITY).unwrap().unwrap().len(), FREE_CAPACITY);
}

#[test]
fn a_chunk_is_paid_until_its_last_byte_is_read() {
    let memory = memory();
    let (near, far) = pair_of(CAPACITY, &memory);
    near.write(Bytes::from(vec![0; CAPACITY])).unwrap();
    far.try_read(CAPACITY - 1).unwrap();
    assert!(memory.of_host() >= CAPACITY - FREE_CAPACITY, "{}", memory.of_host());
    far.try_read(1).unwrap();
    assert_eq!(memory.of_host(), 0);
}

#[test]
fn a_smaller_receive_buffer_takes_effect() {
    let (near, far) = pair();
    far.set_receive_buffer(4096);
    assert_eq!(near.write_permit(), Ok(4096));
    near.write(Bytes::from(vec![0; 4096])).unwrap();
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    assert!(near.poll_writable(&Context::from_waker(&waker)).is_pending());
    far.set_receive_buffer(CAPACITY);
    assert_eq!(alarm.rings(), 1);
}

#[derive(Debug, Clone)]
enum Step {
    Write(usize),
    WriteCopy(usize),
    Read(usize),
    ReadInto(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let size = || prop_oneof![1..20_usize, 4000..5000_usize, 1..100_000_usize];
    prop_oneof![
        size().prop_map(Step::Write),
        size().prop_map(Step::WriteCopy),
        size().prop_map(Step::Read),
        size().prop_map(Step::ReadInto),
    ]
}

proptest! {
    /// Whatever the pieces, what goes in comes out: the same bytes, in order, and no more of them
    /// in between than the pipe may hold.
    #[test]
    fn bytes_in_are_bytes_out(
        steps in prop::collection::vec(step(), 0..60),
        capacity in 1..100_000_usize,
    ) {
        let memory = memory();
        let (near, far) = pair_of(capacity, &memory);
        let mut next = 0_u32;
        let mut piece = |length: usize| -> Vec<u8> {
            (0..length).map(|_| { next = next.wrapping_mul(1_664_525).wrapping_add(1); next.to_be_bytes()[0] }).collect()
        };
        let mut sent = Vec::new();
        let mut received = Vec::new();
        for step in steps {
            match step {
                Step::Write(length) => {
                    let length = length.min(near.write_permit().unwrap());
                    let bytes = piece(length);
                    sent.extend_from_slice(&bytes);
                    near.write(bytes.into()).unwrap();
                }
                Step::WriteCopy(length) => {
                    let bytes = piece(length);
                    if let Some(count) = near.try_write_from(&bytes).unwrap() {
                        prop_assert!(count > 0);
                        sent.extend_from_slice(&bytes[..count]);
                    }
                }
                Step::Read(length) => match far.try_read(length).unwrap() {
                    Some(bytes) => {
                        prop_assert!(!bytes.is_empty() && bytes.len() <= length);
                        received.extend_from_slice(&bytes);
                    }
                    None => prop_assert_eq!(sent.len(), received.len()),
                },
                Step::ReadInto(length) => {
                    let mut buffer = vec![0; length];
                    match far.try_read_into(&mut buffer).unwrap() {
                        Some(count) => {
                            prop_assert_eq!(count, length.min(sent.len() - received.len()));
                            received.extend_from_slice(&buffer[..count]);
                        }
                        None => prop_assert_eq!(sent.len(), received.len()),
                    }
                }
            }
            prop_assert!(sent.len() - received.len() <= capacity);
            let unread = sent.len() - received.len();
            // A chunk is paid until its last byte is read.
            prop_assert!(memory.of_host() >= unread.saturating_sub(FREE_CAPACITY));
            prop_assert!(memory.of_host() <= 4 * capacity + (64 << 10));
            if unread == 0 {
                prop_assert_eq!(memory.of_host(), 0);
            }
        }
        near.shutdown_write();
        while let Some(bytes) = far.try_read(usize::MAX).unwrap().filter(|bytes| !bytes.is_empty()) {
            received.extend_from_slice(&bytes);
        }
        // `sent` above may have been cut by the pieces that did not fit, so lengths come first.
        prop_assert_eq!(sent.len(), received.len());
        prop_assert!(sent == received);
    }
}
