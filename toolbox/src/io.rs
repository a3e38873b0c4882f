//! The three streams of a tool or a builtin.

use std::io::{self, BufRead, Read, Write};

use crate::fd::Fd;

/// What is read or kept back at once.
const BUFFER: usize = 16 << 10;

/// A tool's streams.
pub(crate) struct Streams {
    pub(crate) input: Input,
    pub(crate) out: Output,
    pub(crate) err: Output,
}

impl Streams {
    pub(crate) fn new(input: Fd, out: Fd, err: Fd) -> Self {
        Self { input: Input::new(input), out: Output::new(out), err: Output::unbuffered(err) }
    }

    /// Says what went wrong: `name: problem`.
    pub(crate) fn complain(&mut self, name: &str, problem: impl std::fmt::Display) {
        // What was written before comes before.
        let _ = self.out.flush();
        let _ = self.err.write_all(format!("{name}: {problem}\n").as_bytes());
    }
}

/// A stream that is read.
pub(crate) struct Input {
    pub(crate) fd: Fd,
    buffer: Vec<u8>,
    at: usize,
}

impl Input {
    pub(crate) fn new(fd: Fd) -> Self {
        Self { fd, buffer: Vec::new(), at: 0 }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.buffer.len() {
            self.buffer.resize(BUFFER, 0);
            let length = self.fd.read(&mut self.buffer)?;
            self.buffer.truncate(length);
            self.at = 0;
        }
        Ok(&self.buffer[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
    }
}

/// A stream that is written to. What is left when it is dropped is written then.
pub(crate) struct Output {
    pub(crate) fd: Fd,
    buffer: Vec<u8>,
    most: usize,
    /// Nobody reads any more: said once, then silently dropped.
    pub(crate) broken: bool,
}

impl Output {
    fn new(fd: Fd) -> Self {
        // Somebody who watches wants to see each line at once.
        let most = if fd.is_terminal() { 0 } else { BUFFER };
        Self { fd, buffer: Vec::new(), most, broken: false }
    }

    fn unbuffered(fd: Fd) -> Self {
        Self { fd, buffer: Vec::new(), most: 0, broken: false }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        let is_due = self.buffer.len() > self.most
            && (self.most > 0 || bytes.contains(&b'\n') || self.buffer.len() > BUFFER);
        if is_due {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.fd.write(&self.buffer);
        self.buffer.clear();
        if let Err(error) = &written
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.broken = true;
        }
        written
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
