//! How the lines of the containers look: raw, behind aligned coloured names, or as JSON.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};
use serde_json::json;
use wasmpod::logs::{LogStream, OwnedLogLine, Piece};

use super::json;
use super::style::NAMES;

/// How lines are shown.
#[derive(Debug, Clone)]
pub(crate) enum Layout {
    /// The guests' bytes, as they are.
    Raw,
    /// Each line behind the name of its container.
    Prefixed(Names),
    /// Each line as a JSON object, which names the Pod.
    Json(String),
}

/// The column of names: aligned to the longest, each in its colour.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Names {
    /// Stands before each container's name: `pod/` where there are several Pods.
    pub(crate) pod: String,
    /// The containers of this Pod; the place in the list gives the colour.
    pub(crate) containers: Vec<String>,
    /// Of the longest name, with its Pod, of all Pods.
    pub(crate) width: usize,
    /// Colours used up by earlier Pods.
    pub(crate) colours_before: usize,
}

/// What is being printed: gathers each batch, so that a batch is one write.
pub(super) struct Sheet {
    layout: Layout,
    stdout: Output,
    stderr: Output,
}

/// Standard output or standard error.
trait Stream: Write + AsFd + Send {}

impl<To: Write + AsFd + Send> Stream for To {}

struct Output {
    to: Box<dyn Stream>,
    /// Whether our own names are coloured; a guest's bytes pass untouched in any case.
    coloured: bool,
    text: Vec<u8>,
    /// Whose line has not ended yet.
    open: Option<Arc<str>>,
}

impl Output {
    fn new(to: Box<dyn Stream>, colours: ColorChoice) -> Self {
        Self { to, coloured: colours != ColorChoice::Never, text: Vec::new(), open: None }
    }
}

impl Sheet {
    pub(super) fn new(layout: Layout) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let colours = (AutoStream::choice(&stdout), AutoStream::choice(&stderr));
        Self {
            layout,
            stdout: Output::new(Box::new(stdout), colours.0),
            stderr: Output::new(Box::new(stderr), colours.1),
        }
    }

    /// Takes a line; it is written by the next [`Sheet::flush`] at the latest.
    pub(super) fn add(&mut self, line: &OwnedLogLine) -> io::Result<()> {
        let output = match line.stream {
            LogStream::Stdout => &mut self.stdout,
            LogStream::Stderr => &mut self.stderr,
        };
        match &self.layout {
            Layout::Raw => output.text.extend_from_slice(&line.bytes),
            Layout::Prefixed(names) => output.prefixed(names, line),
            Layout::Json(pod) => {
                json::line(&json!({
                    "type": "log",
                    "pod": pod,
                    "container": &*line.container,
                    "stream": line.stream.as_str(),
                    "partial": line.piece == Piece::Partial,
                    "text": String::from_utf8_lossy(&line.bytes),
                }));
            }
        }
        // One loud line must not gather without bound.
        if output.text.len() > 64 << 10 { output.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()?;
        self.stderr.flush()
    }

    /// Writes what can be written without waiting for a reader; answers whether that was all. The
    /// rest stays for [`Sheet::flush`].
    pub(super) fn flush_now(&mut self) -> io::Result<bool> {
        Ok(self.stdout.flush_now()? && self.stderr.flush_now()?)
    }

    /// Whether lines become text, and nothing is written before it is flushed.
    pub(super) fn gathers(&self) -> bool {
        match self.layout {
            Layout::Raw | Layout::Prefixed(_) => true,
            Layout::Json(_) => false,
        }
    }
}

impl Output {
    fn prefixed(&mut self, names: &Names, line: &OwnedLogLine) {
        let goes_on = self.open.as_deref() == Some(&line.container);
        if !goes_on {
            if self.open.is_some() {
                self.text.push(b'\n');
            }
            names.write(&mut self.text, &line.container, self.coloured);
        }
        self.text.extend_from_slice(&line.bytes);
        self.open = match line.piece {
            Piece::Full => {
                self.text.push(b'\n');
                None
            }
            Piece::Partial => Some(Arc::clone(&line.container)),
        };
    }

    /// Writes what the kernel takes at once; answers whether that was all. No question beforehand
    /// could tell: a pipe that has room now may be full by the time of the write.
    fn flush_now(&mut self) -> io::Result<bool> {
        while !self.text.is_empty() {
            let text = [IoSlice::new(&self.text)];
            // At the position where the file is, as `write` does.
            match pwritev2(&self.to, &text, u64::MAX, ReadWriteFlags::NOWAIT) {
                Ok(0) => return Ok(false),
                Ok(written) => drop(self.text.drain(..written)),
                Err(Errno::PIPE) => return Err(Errno::PIPE.into()),
                // The reader is slow, or this kind of file always waits.
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        let result = self.to.write_all(&text).and_then(|()| self.to.flush());
        self.text = text;
        self.text.clear();
        result
    }
}

impl Names {
    fn write(&self, text: &mut Vec<u8>, container: &str, coloured: bool) {
        let place = self.containers.iter().position(|name| name == container).unwrap_or(0);
        let style = NAMES[(self.colours_before + place) % NAMES.len()];
        let (begin, end) = if coloured {
            (style.render().to_string(), style.render_reset().to_string())
        } else {
            (String::new(), String::new())
        };
        let (pod, width) = (&self.pod, self.width.saturating_sub(self.pod.len()));
        text.extend_from_slice(format!("{begin}{pod}{container:width$} |{end} ").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            pod: String::new(),
            containers: vec!["web".into(), "sidecar".into()],
            width: 7,
            colours_before: 0,
        }
    }

    fn line(container: &str, piece: Piece, text: &str) -> OwnedLogLine {
        let (container, bytes) = (container.into(), text.as_bytes().to_vec());
        OwnedLogLine { container, stream: LogStream::Stdout, piece, bytes }
    }

    fn shown(lines: &[OwnedLogLine], choice: ColorChoice) -> String {
        let mut output = Output::new(Box::new(io::stdout()), choice);
        lines.iter().for_each(|line| output.prefixed(&names(), line));
        String::from_utf8(output.text).unwrap()
    }

    #[test]
    fn what_a_full_pipe_does_not_take_is_written_when_it_is_read() {
        use std::io::Read as _;

        let (mut reader, writer) = io::pipe().unwrap();
        let mut output = Output::new(Box::new(writer), ColorChoice::Never);
        output.text = b"one line\n".to_vec();
        assert!(output.flush_now().unwrap());
        assert!(output.text.is_empty());

        let much: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_le_bytes).collect();
        output.text.clone_from(&much);
        assert!(!output.flush_now().unwrap());
        assert!(output.text.len() < much.len(), "a part is written");
        let reading = std::thread::spawn(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        output.flush().unwrap();
        drop(output);
        let read = reading.join().unwrap().unwrap();
        assert_eq!(read.strip_prefix(b"one line\n"), Some(&*much));
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let mut output = Output::new(Box::new(writer), ColorChoice::Never);
        output.text = b"one line\n".to_vec();
        assert_eq!(output.flush_now().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn names_are_aligned() {
        let lines = [line("web", Piece::Full, "one"), line("sidecar", Piece::Full, "two")];
        insta::assert_snapshot!(shown(&lines, ColorChoice::Never), @r"
        web     | one
        sidecar | two
        ");
    }

    #[test]
    fn each_name_has_its_colour_on_a_terminal() {
        let lines = [line("web", Piece::Full, "one"), line("sidecar", Piece::Full, "two")];
        insta::assert_snapshot!(shown(&lines, ColorChoice::AlwaysAnsi).escape_debug(), @r"\u{1b}[36mweb     |\u{1b}[0m one\n\u{1b}[33msidecar |\u{1b}[0m two\n");
    }

    #[test]
    fn a_line_in_pieces_stays_one_line_unless_another_comes_between() {
        let pieces = [
            line("web", Piece::Partial, "a"),
            line("web", Piece::Full, "b"),
            line("web", Piece::Partial, "c"),
            line("sidecar", Piece::Full, "d"),
            line("web", Piece::Full, "e"),
        ];
        insta::assert_snapshot!(shown(&pieces, ColorChoice::Never), @r"
        web     | ab
        web     | c
        sidecar | d
        web     | e
        ");
    }
}
