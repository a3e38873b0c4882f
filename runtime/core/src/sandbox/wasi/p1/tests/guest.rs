// The guest of the tests of WASI 0.1 sockets: prints what it finds. Compiled by the tests.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd};

#[repr(C)]
#[derive(Clone, Copy)]
struct Subscription {
    user_data: u64,
    /// A byte, and a union that is aligned to eight.
    tag: u64,
    descriptor_or_clock: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Event {
    user_data: u64,
    errno: u16,
    kind: u8,
    bytes: u64,
    flags: u16,
}

#[repr(C)]
struct Buffer(*mut u8, usize);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn poll_oneoff(asked: *const Subscription, events: *mut Event, count: usize, out: *mut usize) -> i32;
    fn sock_recv(fd: i32, into: *const Buffer, count: usize, flags: i32, out: *mut usize, out_flags: *mut u16) -> i32;
    fn sock_send(fd: i32, from: *const Buffer, count: usize, flags: i32, out: *mut usize) -> i32;
    fn sock_accept(fd: i32, flags: i32, out: *mut i32) -> i32;
    fn sock_shutdown(fd: i32, how: i32) -> i32;
    fn fd_seek(fd: i32, offset: i64, whence: i32, out: *mut u64) -> i32;
    fn fd_sync(fd: i32) -> i32;
    fn fd_renumber(from: i32, to: i32) -> i32;
    fn fd_fdstat_get(fd: i32, out: *mut [u64; 3]) -> i32;
    fn fd_filestat_get(fd: i32, out: *mut [u64; 8]) -> i32;
    fn fd_readdir(fd: i32, buffer: *mut u8, length: usize, cookie: u64, out: *mut usize) -> i32;
}

const HOUR: u64 = 3_600_000_000_000;

fn clock(user_data: u64, timeout: u64) -> Subscription {
    Subscription { user_data, tag: 0, descriptor_or_clock: 1, timeout, precision: 0, flags: 0 }
}

fn read(user_data: u64, fd: i32) -> Subscription {
    Subscription { user_data, tag: 1, descriptor_or_clock: fd as u32, timeout: 0, precision: 0, flags: 0 }
}

fn write(user_data: u64, fd: i32) -> Subscription {
    Subscription { tag: 2, ..read(user_data, fd) }
}

fn poll(what: &str, asked: &[Subscription]) {
    let mut events = vec![Event::default(); asked.len()];
    let mut count = 0;
    let errno = unsafe { poll_oneoff(asked.as_ptr(), events.as_mut_ptr(), asked.len(), &mut count) };
    println!("poll {what}: errno {errno}");
    for Event { user_data, errno, kind, bytes, flags } in &events[..count] {
        println!("  {user_data}: errno {errno} kind {kind} bytes {bytes} flags {flags}");
    }
}

fn receive(fd: i32, length: usize, flags: i32) -> String {
    let mut bytes = vec![0; length];
    let (mut count, mut out_flags) = (0, 7);
    let (half, rest) = (length / 2, length - length / 2);
    let start = bytes.as_mut_ptr();
    let buffers = [Buffer(start, half), Buffer(unsafe { start.add(half) }, rest)];
    let errno = unsafe { sock_recv(fd, buffers.as_ptr(), 2, flags, &mut count, &mut out_flags) };
    format!("errno {errno} {:?} flags {out_flags}", String::from_utf8_lossy(&bytes[..count]))
}

fn kind(fd: i32) -> String {
    let (mut stat, mut file) = ([0u64; 3], [0u64; 8]);
    let errno = unsafe { fd_fdstat_get(fd, &mut stat) };
    let (kind, flags) = (stat[0] as u8, (stat[0] >> 16) as u16);
    let other = unsafe { fd_filestat_get(fd, &mut file) };
    format!("errno {errno} {other} kind {kind} {} flags {flags}", file[2] as u8)
}

fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    println!("{} {}", variable("LISTEN_FDS"), variable("LISTEN_FDNAMES"));
    // The directory comes after the listeners, and std finds it.
    println!("{}", std::fs::read_to_string("/data/greeting").unwrap());

    let first = unsafe { TcpListener::from_raw_fd(3) };
    let second = unsafe { TcpListener::from_raw_fd(4) };
    println!("listener: {}", kind(3));
    println!("directory: {}", kind(5));
    println!("nothing: {}", kind(6));
    first.set_nonblocking(true).unwrap();
    println!("listener: {}", kind(3));
    println!("no caller: {:?}", first.accept().unwrap_err().kind());

    poll("a descriptor that is not there", &[clock(1, HOUR), read(2, 3), read(3, 99)]);
    poll("nothing to come but a clock", &[read(1, 3), write(2, 3), clock(3, 1_000_000)]);
    poll("stdout and a listener", &[read(1, 3), write(2, 1), clock(3, HOUR)]);
    poll("two listeners and a clock", &[clock(1, HOUR), read(2, 3), read(3, 4)]);

    let (mut stream, _) = second.accept().unwrap();
    let file = File::create("/data/new").unwrap();
    println!("connection {} file {}", stream.as_raw_fd(), file.as_raw_fd());
    drop(file);
    let file = File::open("/data/new").unwrap();
    println!("again file {}", file.as_raw_fd());
    let fd = stream.as_raw_fd();
    println!("connection: {}", kind(fd));
    poll("bytes and room", &[read(1, fd), write(2, fd), clock(3, HOUR)]);
    poll("a file and a listener", &[read(1, 3), read(2, file.as_raw_fd()), clock(3, HOUR)]);
    println!("peek: {}", receive(fd, 2, 1));
    println!("peek: {}", receive(fd, 9, 1));
    println!("receive: {}", receive(fd, 3, 0));
    println!("receive: {}", receive(fd, 9, 0));
    stream.set_nonblocking(true).unwrap();
    println!("nothing yet: {:?}", stream.read(&mut [0; 4]).unwrap_err().kind());
    stream.set_nonblocking(false).unwrap();
    stream.write_all(b"pong").unwrap();
    poll("the end", &[read(1, fd), clock(2, HOUR)]);
    println!("at the end: {}", receive(fd, 9, 0));
    let block = vec![1; 256 << 10];
    for _ in 0..3 {
        stream.write_all(&block).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    println!("after shutdown: {:?}", stream.write(b"x").unwrap_err().kind());

    // What does not fit its kind.
    let mut number = 0;
    let mut count = 0;
    unsafe {
        println!("accept on a connection, a file, nothing: {} {} {}",
            sock_accept(fd, 0, &mut number), sock_accept(file.as_raw_fd(), 0, &mut number), sock_accept(99, 0, &mut number));
        println!("receive on a listener, stdout, nothing: {} {} {}", receive(3, 2, 0), receive(1, 2, 0), receive(-1, 2, 0));
        println!("send on a listener, with flags: {} {}", sock_send(3, [].as_ptr(), 0, 0, &mut count), sock_send(fd, [].as_ptr(), 0, 1, &mut count));
        println!("shut down a listener, in no way: {} {}", sock_shutdown(3, 1), sock_shutdown(fd, 0));
        println!("seek, sync, list a connection: {} {} {}", fd_seek(fd, 0, 0, &mut 0), fd_sync(fd),
            fd_readdir(fd, [0; 8].as_mut_ptr(), 8, 0, &mut count));
        println!("open below a connection: {}", path_open_below(fd));
    }

    // A connection moves to the file's number, a listener is closed by it.
    drop(stream);
    first.set_nonblocking(false).unwrap();
    let (mut stream, _) = first.accept().unwrap();
    let moved = file.as_raw_fd();
    println!("move {} to {moved}: {}", stream.as_raw_fd(), unsafe { fd_renumber(stream.as_raw_fd(), moved) });
    println!("the old number: {:?}", stream.write(b"x").unwrap_err().raw_os_error());
    std::mem::forget((stream, file));
    stream = unsafe { TcpStream::from_raw_fd(moved) };
    let mut four = [0; 4];
    stream.read_exact(&mut four).unwrap();
    stream.write_all(b"!").unwrap();
    println!("all of it: {}", receive(moved, 3, 2));
    drop(first);
    println!("a gap at 3: {}", std::fs::read_to_string("/data/greeting").unwrap());
}

fn path_open_below(fd: i32) -> i32 {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn path_open(fd: i32, lookup: i32, path: *const u8, length: usize, how: i32, rights: i64, inheriting: i64, flags: i32, out: *mut i32) -> i32;
    }
    unsafe { path_open(fd, 0, "x".as_ptr(), 1, 0, 0, 0, 0, &mut 0) }
}
