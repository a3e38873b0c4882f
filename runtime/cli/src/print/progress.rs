//! How a pull or push goes: a line for each blob, redrawn on a terminal, or one when it is done.
//!
//! On standard error: what came of it goes to standard output.

use std::io::{self, IsTerminal as _, Write as _};

use wasmpod_node::images::Progress;

use super::table::cut;
use super::{problem, units};

/// Digits of a digest that are shown.
const SHORT: usize = 12;

/// Letters between the brackets of a bar.
const BAR: u64 = 24;

/// Where and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Redrawn,
    Lines,
    Not,
}

/// What is known of the blobs of one image.
#[derive(Debug)]
pub(crate) struct Transfer {
    shown: Shown,
    blobs: Vec<Blob>,
    /// Lines on the terminal that the next ones replace.
    lines: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Blob {
    digest: String,
    size: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    At(u64),
    Waits,
    Done,
}

impl Transfer {
    /// Shown, unless `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let shown = match quiet {
            true => Shown::Not,
            false if io::stderr().is_terminal() => Shown::Redrawn,
            false => Shown::Lines,
        };
        Self { shown, blobs: Vec::new(), lines: 0 }
    }

    /// Takes news of a blob, and shows them.
    pub(crate) fn tell(&mut self, progress: &Progress) {
        let is_new = self.note(progress);
        match self.shown {
            Shown::Not => {}
            Shown::Redrawn => self.redraw(),
            Shown::Lines => {
                if let (Progress::Done { digest }, true) = (progress, is_new) {
                    problem::plain(&format!("Copying blob {} done", short(digest.hex())));
                }
            }
        }
    }

    /// Whether its state is another than before.
    fn note(&mut self, progress: &Progress) -> bool {
        let digest = short(progress.digest().hex());
        let index = self.blobs.iter().position(|blob| blob.digest == digest);
        let index = index.unwrap_or_else(|| {
            let state = State::At(0);
            self.blobs.push(Blob { digest: digest.to_owned(), size: 0, state });
            self.blobs.len() - 1
        });
        let blob = &mut self.blobs[index];
        let before = blob.clone();
        match progress {
            Progress::Begins { size, .. } => blob.size = *size,
            Progress::At { bytes, .. } => blob.state = State::At(*bytes),
            Progress::Waits { .. } => blob.state = State::Waits,
            Progress::Done { .. } => blob.state = State::Done,
        }
        *blob != before
    }

    fn redraw(&mut self) {
        let size = rustix::termios::tcgetwinsize(io::stderr()).ok();
        let (width, height) =
            size.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        // The last line of a terminal is where the cursor stands.
        let room = height.saturating_sub(1).max(1);
        // Of more blobs than there are lines, those that come last are the ones under way.
        let first = self.blobs.len().saturating_sub(room);
        let mut text = match self.lines {
            0 => String::new(),
            lines => format!("\x1b[{lines}A\x1b[J"),
        };
        for blob in &self.blobs[first..] {
            text += cut(&blob.to_string(), width);
            text.push('\n');
        }
        self.lines = self.blobs.len() - first;
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }
}

impl std::fmt::Display for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = units::bytes(self.size);
        match self.state {
            State::At(bytes) => {
                let full = bytes.min(self.size) * BAR / self.size.max(1);
                let bar: String =
                    (0..BAR).map(|place| if place < full { '=' } else { ' ' }).collect();
                write!(f, "{}  [{bar}]  {}/{size}", self.digest, units::bytes(bytes))
            }
            State::Waits => write!(f, "{}  another process fetches it", self.digest),
            State::Done => write!(f, "{}  done  {size}", self.digest),
        }
    }
}

fn short(hex: &str) -> &str {
    hex.get(..SHORT).unwrap_or(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_blob_has_its_line() {
        let digest = |letter: &str| format!("sha256:{}", letter.repeat(64)).parse().unwrap();
        let mut transfer = Transfer { shown: Shown::Not, blobs: Vec::new(), lines: 0 };
        for progress in [
            Progress::Begins { digest: digest("a"), size: 1024 },
            Progress::Begins { digest: digest("b"), size: 0 },
            Progress::At { digest: digest("a"), bytes: 512 },
            Progress::Waits { digest: digest("c") },
            Progress::Done { digest: digest("b") },
        ] {
            transfer.tell(&progress);
        }
        let lines: Vec<String> = transfer.blobs.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r"
        aaaaaaaaaaaa  [============            ]  512B/1KiB
        bbbbbbbbbbbb  done  0B
        cccccccccccc  another process fetches it
        ");
        assert!(!transfer.note(&Progress::Done { digest: digest("b") }), "it was done before");
    }
}
