//! The functions of wasmpod.
#![expect(unsafe_code, reason = "the only way to call what a module imports")]

use std::io;

use super::{Handle, Job, Pid, Place};

mod process {
    #[link(wasm_import_module = "wasmpod_process")]
    unsafe extern "C" {
        pub(super) safe fn pid() -> i32;
        pub(super) fn fork(job: *mut u8, handles: *const i32, count: usize, flags: i32) -> i32;
        pub(super) fn spawn(
            words: *const u8,
            words_length: usize,
            env: *const u8,
            env_length: usize,
            cwd: *const u8,
            cwd_length: usize,
            handles: *const i32,
            flags: i32,
        ) -> i32;
        pub(super) fn look(
            words: *const u8,
            words_length: usize,
            env: *const u8,
            env_length: usize,
            cwd: *const u8,
            cwd_length: usize,
        ) -> i32;
        pub(super) fn wait(pid: i32, flags: i32, code: *mut i32) -> i32;
        pub(super) safe fn kill(pid: i32, signal: i32) -> i32;
        pub(super) safe fn interrupts() -> i32;
        pub(super) fn pipe(handles: *mut i32) -> i32;
        pub(super) fn read(handle: i32, buffer: *mut u8, length: usize) -> i32;
        pub(super) fn write(handle: i32, bytes: *const u8, length: usize) -> i32;
        pub(super) safe fn close(handle: i32) -> i32;
        pub(super) safe fn shutdown(handle: i32) -> i32;
        pub(super) safe fn is_terminal(handle: i32) -> i32;
        pub(super) fn connect(name: *const u8, length: usize, port: i32, milliseconds: i32) -> i32;
        pub(super) fn resolve(name: *const u8, length: usize, buffer: *mut u8, room: usize) -> i32;
        pub(super) fn list(buffer: *mut u8, room: usize) -> i32;
        pub(super) fn title(words: *const u8, length: usize) -> i32;
    }
}

mod terminal {
    #[link(wasm_import_module = "wasmpod_terminal")]
    unsafe extern "C" {
        pub(super) safe fn set_raw(on: i32) -> i32;
        pub(super) safe fn size() -> i32;
    }
}

fn answer(number: i32) -> io::Result<i32> {
    if number < 0 { Err(io::Error::from_raw_os_error(-number)) } else { Ok(number) }
}

fn length(number: i32) -> io::Result<usize> {
    answer(number).map(|length| usize::try_from(length).unwrap_or(0))
}

pub(crate) fn pid() -> Pid {
    process::pid()
}

/// Begins a child that has a copy of all this process's memory and only those of its handles. It calls
/// `job`, which must not touch what lies on the parent's stack: that is not there.
///
/// # Errors
/// `WouldBlock` when there are too many processes, `OutOfMemory`.
pub(crate) fn fork(keep: &[Handle], place: Place, job: Job) -> io::Result<Pid> {
    let job = Box::into_raw(Box::new(job));
    let background = i32::from(place == Place::Background);
    // SAFETY: the pointer and the length are those of one slice. The child gets `job` in a copy of this
    // memory, where it is as valid as here.
    let pid = unsafe { process::fork(job.cast(), keep.as_ptr(), keep.len(), background) };
    // SAFETY: made from a box above, and the child's is another.
    drop(unsafe { Box::from_raw(job) });
    answer(pid)
}

/// Where a child enters.
#[unsafe(no_mangle)]
extern "C" fn wasmpod_child(job: *mut Job) -> i32 {
    // SAFETY: the number that `fork` gave to wasmpod, in the memory that was copied meanwhile.
    let job = unsafe { Box::from_raw(job) };
    job()
}

/// Runs what the container itself has of the first word.
///
/// # Errors
/// `NotFound` when it has nothing of that name.
pub(crate) fn spawn(
    words: &[String],
    env: &[(String, String)],
    cwd: &str,
    handles: [Handle; 3],
    place: Place,
) -> io::Result<Pid> {
    let (words, env) = (listed(words), environment(env));
    let background = i32::from(place == Place::Background);
    // SAFETY: each pointer goes with its length; three handles are read.
    answer(unsafe {
        process::spawn(
            words.as_ptr(),
            words.len(),
            env.as_ptr(),
            env.len(),
            cwd.as_ptr(),
            cwd.len(),
            handles.as_ptr(),
            background,
        )
    })
}

/// Whether the container itself has something of that name.
///
/// # Errors
/// `NotFound` when it does not.
pub(crate) fn look(words: &[String], env: &[(String, String)], cwd: &str) -> io::Result<()> {
    let (words, env) = (listed(words), environment(env));
    // SAFETY: each pointer goes with its length.
    let found = unsafe {
        process::look(words.as_ptr(), words.len(), env.as_ptr(), env.len(), cwd.as_ptr(), cwd.len())
    };
    answer(found).map(drop)
}

/// Texts, each with a NUL behind it.
fn listed(words: &[String]) -> String {
    words.iter().flat_map(|word| [word, "\0"]).collect()
}

fn environment(env: &[(String, String)]) -> String {
    env.iter().flat_map(|(name, value)| [name, "=", value, "\0"]).collect()
}

/// Waits for one child.
///
/// # Errors
/// There is none of that number.
pub(crate) fn wait(pid: Pid) -> io::Result<i32> {
    let mut code = 0;
    // SAFETY: `code` is written to.
    answer(unsafe { process::wait(pid, 0, &raw mut code) })?;
    Ok(code)
}

/// The code of a child that has ended; none while it runs.
///
/// # Errors
/// There is none of that number.
pub(crate) fn try_wait(pid: Pid) -> io::Result<Option<i32>> {
    let mut code = 0;
    // SAFETY: `code` is written to.
    let ended = answer(unsafe { process::wait(pid, 1, &raw mut code) })?;
    Ok((ended != 0).then_some(code))
}

/// # Errors
/// No such process runs.
pub(crate) fn kill(pid: Pid, signal: i32) -> io::Result<()> {
    answer(process::kill(pid, signal)).map(drop)
}

/// How often Ctrl-C was typed since the last call; from the first one on it does not end this process.
pub(crate) fn interrupts() -> u32 {
    u32::try_from(process::interrupts()).unwrap_or(0)
}

/// # Errors
/// Too many handles, no memory.
pub(crate) fn pipe() -> io::Result<(Handle, Handle)> {
    let mut handles = [0; 2];
    // SAFETY: two numbers are written.
    answer(unsafe { process::pipe(handles.as_mut_ptr()) })?;
    Ok((handles[0], handles[1]))
}

/// # Errors
/// Not open for reading.
pub(crate) fn read(handle: Handle, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of one slice.
    length(unsafe { process::read(handle, buffer.as_mut_ptr(), buffer.len()) })
}

/// # Errors
/// `BrokenPipe` when nobody reads; not open for writing.
pub(crate) fn write(handle: Handle, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer and the length are those of one slice.
    length(unsafe { process::write(handle, bytes.as_ptr(), bytes.len()) })
}

pub(crate) fn close(handle: Handle) {
    process::close(handle);
}

/// Says the last word on a connection.
pub(crate) fn shutdown(handle: Handle) {
    process::shutdown(handle);
}

pub(crate) fn is_terminal(handle: Handle) -> bool {
    process::is_terminal(handle) == 1
}

/// # Errors
/// What the other side, the name or the container's rules say.
pub(crate) fn connect(name: &str, port: u16, milliseconds: u32) -> io::Result<Handle> {
    let milliseconds = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    // SAFETY: the pointer and the length are those of one text.
    answer(unsafe { process::connect(name.as_ptr(), name.len(), port.into(), milliseconds) })
}

/// # Errors
/// Nobody knows the name.
pub(crate) fn resolve(name: &str) -> io::Result<Vec<String>> {
    let text = grown(|buffer, room| {
        // SAFETY: each pointer goes with its length.
        unsafe { process::resolve(name.as_ptr(), name.len(), buffer, room) }
    })?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// Number, parent, state and title of each process, a line each.
///
/// # Errors
/// None that are known.
pub(crate) fn list() -> io::Result<String> {
    grown(|buffer, room| {
        // SAFETY: the pointer goes with its length.
        unsafe { process::list(buffer, room) }
    })
}

/// A text of which only the length is known once it was asked for.
fn grown(ask: impl Fn(*mut u8, usize) -> i32) -> io::Result<String> {
    let mut buffer = vec![0; 4096];
    loop {
        let length = length(ask(buffer.as_mut_ptr(), buffer.len()))?;
        if length <= buffer.len() {
            buffer.truncate(length);
            return Ok(String::from_utf8_lossy(&buffer).into_owned());
        }
        buffer.resize(length, 0);
    }
}

/// What `ps` calls this process.
pub(crate) fn set_title(words: &[String]) {
    let words = listed(words);
    // SAFETY: the pointer and the length are those of one text.
    unsafe { process::title(words.as_ptr(), words.len()) };
}

/// Whether the terminal gives each byte as it is typed from now on, or whole lines.
///
/// # Errors
/// It cannot do that.
pub(crate) fn set_raw(on: bool) -> io::Result<()> {
    match terminal::set_raw(i32::from(on)) {
        0 => Ok(()),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Rows and columns of the terminal, if they are known.
pub(crate) fn terminal_size() -> Option<(u16, u16)> {
    let size = terminal::size().cast_unsigned().to_be_bytes();
    let both = (u16::from_be_bytes([size[0], size[1]]), u16::from_be_bytes([size[2], size[3]]));
    (both.0 > 0 && both.1 > 0).then_some(both)
}
