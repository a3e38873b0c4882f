//! How the lines of the containers look: raw, behind aligned coloured names, or as JSON.

use std::io::{self, Write};
use std::sync::Arc;

use anstream::{AutoStream, ColorChoice};
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
pub(super) struct Sheet<'layout> {
    layout: &'layout Layout,
    stdout: Output,
    stderr: Output,
}

struct Output {
    to: Box<dyn Write>,
    /// Whether our own names are coloured; a guest's bytes pass untouched in any case.
    coloured: bool,
    text: Vec<u8>,
    /// Whose line has not ended yet.
    open: Option<Arc<str>>,
}

impl Output {
    fn new(to: Box<dyn Write>, colours: ColorChoice) -> Self {
        Self { to, coloured: colours != ColorChoice::Never, text: Vec::new(), open: None }
    }
}

impl<'layout> Sheet<'layout> {
    pub(super) fn new(layout: &'layout Layout) -> Self {
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
        match self.layout {
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
        let mut output = Output::new(Box::new(io::sink()), choice);
        lines.iter().for_each(|line| output.prefixed(&names(), line));
        String::from_utf8(output.text).unwrap()
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
