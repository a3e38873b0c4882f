//! Redirections: which descriptor stands for what.

use std::io;

use super::ast::{Redirect, RedirectKind};
use super::children;
use super::state::{Run, Shell, Stop};
use crate::fd::{Fd, Mode};
use crate::sys;

/// What a pipe takes at once without anybody who reads.
const PIPE: usize = 60 << 10;

impl Shell {
    /// Sets descriptors as a command wants them.
    ///
    /// # Errors
    /// [`Stop::Failed`] when a file cannot be opened; it was said.
    pub(crate) fn redirect(&mut self, redirects: &[Redirect]) -> Run<()> {
        for redirect in redirects {
            self.redirect_one(redirect)?;
        }
        Ok(())
    }

    fn redirect_one(&mut self, redirect: &Redirect) -> Run<()> {
        let text = self.expand_text(&redirect.target)?;
        let fd = match redirect.kind {
            RedirectKind::Duplicate => return self.duplicate(redirect.fd, &text),
            RedirectKind::HereDocument => self.text_as_input(text.into_bytes())?,
            RedirectKind::HereString => self.text_as_input(format!("{text}\n").into_bytes())?,
            RedirectKind::Read => self.open(&text, Mode::Read)?,
            RedirectKind::Write if self.options.no_clobber && text != "/dev/null" => {
                self.open(&text, Mode::New)?
            }
            RedirectKind::Write | RedirectKind::Clobber | RedirectKind::Both => {
                self.open(&text, Mode::Write)?
            }
            RedirectKind::Append | RedirectKind::BothAppend => self.open(&text, Mode::Append)?,
            RedirectKind::ReadWrite => self.open(&text, Mode::ReadWrite)?,
        };
        if matches!(redirect.kind, RedirectKind::Both | RedirectKind::BothAppend) {
            self.fds.insert(2, fd.clone());
        }
        self.fds.insert(redirect.fd, fd);
        Ok(())
    }

    fn duplicate(&mut self, fd: u32, text: &str) -> Run<()> {
        if text == "-" {
            self.fds.remove(&fd);
            return Ok(());
        }
        let Ok(from) = text.parse::<u32>() else {
            // `>&file`
            let both = self.open(text, Mode::Write)?;
            self.fds.insert(2, both.clone());
            self.fds.insert(fd, both);
            return Ok(());
        };
        match self.fds.get(&from).cloned() {
            Some(same) => {
                self.fds.insert(fd, same);
                Ok(())
            }
            None => Err(self.fail(format!("{text}: bad file descriptor"), 1)),
        }
    }

    fn open(&self, path: &str, mode: Mode) -> Run<Fd> {
        // The names of the standard streams are those of the command.
        let known = match path {
            "/dev/stdin" | "/dev/fd/0" => Some(0),
            "/dev/stdout" | "/dev/fd/1" => Some(1),
            "/dev/stderr" | "/dev/fd/2" => Some(2),
            _ => None,
        };
        if let Some(number) = known {
            return Ok(self.fd(number));
        }
        Fd::open(path, mode).map_err(|error| {
            let what = if mode == Mode::Read { "open" } else { "create" };
            self.fail(format!("can't {what} {path}: {}", crate::problem(&error)), 1)
        })
    }

    /// A descriptor from which `bytes` are read.
    fn text_as_input(&mut self, bytes: Vec<u8>) -> Run<Fd> {
        let failed = |error: io::Error| self.fail(format!("cannot make a pipe: {error}"), 2);
        let (read, write) = sys::pipe().map_err(failed)?;
        let (read, write) = (Fd::owning(read), Fd::owning(write));
        if bytes.len() <= PIPE {
            write.write(&bytes).map_err(|error| self.fail(error, 2))?;
            return Ok(read);
        }
        // Whoever reads it begins only after this.
        let writer = write.clone();
        children::fork(self, &[(1, writer)], sys::Place::Background, move |shell| {
            i32::from(shell.fd(1).write(&bytes).is_err())
        })?;
        Ok(read)
    }
}

impl Shell {
    /// A failed redirection ends no script.
    pub(crate) fn code_of(stop: Stop) -> Run {
        match stop {
            Stop::Failed(code) => Ok(code),
            stop => Err(stop),
        }
    }
}
