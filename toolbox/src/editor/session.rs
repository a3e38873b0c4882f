//! One line, from its prompt to its end.

use std::io;

use super::complete::{self, Completer};
use super::keys::{Decoder, Key};
use super::line::{Line, Past};
use super::screen::{Screen, fresh_row};
use crate::fd::Fd;
use crate::sys;

/// How a line has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Line(String),
    /// Ctrl-C
    Dropped,
    /// Ctrl-D, or nobody is there any more.
    Over,
}

/// Reads a line from a terminal that gives each byte.
///
/// # Errors
/// It cannot be read or written.
pub(crate) fn read(
    input: &Fd,
    output: &Fd,
    prompt: &str,
    past: &[String],
    completer: &dyn Completer,
) -> io::Result<Ended> {
    let columns = sys::terminal_size().map_or(80, |(_, columns)| usize::from(columns));
    let mut editing = Editing::new(prompt, past, columns, completer);
    let mut decoder = Decoder::default();
    output.write(format!("{}{}", fresh_row(columns), editing.show()).as_bytes())?;
    let mut bytes = [0; 256];
    let mut ahead = 0..0;
    loop {
        if ahead.is_empty() {
            // One at a time: what is typed ahead is for the next command.
            let length = input.read(&mut bytes[..1])?;
            if length == 0 {
                return Ok(Ended::Over);
            }
            ahead = 0..length;
        }
        let Some(at) = ahead.next() else { continue };
        let Some(key) = decoder.push(bytes[at]) else { continue };
        let step = editing.press(key);
        output.write(step.out.as_bytes())?;
        if let Some(ended) = step.ended {
            return Ok(ended);
        }
    }
}

/// What a key has done.
#[derive(Default)]
struct Step {
    out: String,
    ended: Option<Ended>,
}

struct Editing<'session> {
    prompt: &'session str,
    line: Line,
    past: Past<'session>,
    screen: Screen,
    completer: &'session dyn Completer,
    columns: usize,
    /// The second one lists what there is.
    tabs: u32,
    search: Option<Search>,
}

/// Ctrl-R
struct Search {
    text: String,
    /// Among the lines before this one.
    before: usize,
    found: String,
}

impl<'session> Editing<'session> {
    fn new(
        prompt: &'session str,
        past: &'session [String],
        columns: usize,
        completer: &'session dyn Completer,
    ) -> Self {
        let (line, past, screen) = (Line::default(), Past::new(past), Screen::new(columns));
        Self { prompt, line, past, screen, completer, columns, tabs: 0, search: None }
    }

    fn show(&mut self) -> String {
        if let Some(search) = &self.search {
            let prompt = format!("(reverse-i-search)`{}': ", search.text);
            return self.screen.show(&prompt, "", &search.found);
        }
        let (before, text) = (self.line.before_cursor(), self.line.text());
        let after = text.get(before.len()..).unwrap_or_default();
        self.screen.show(self.prompt, &before, after)
    }

    fn press(&mut self, key: Key) -> Step {
        self.tabs = if key == Key::Tab { self.tabs + 1 } else { 0 };
        if self.search.is_some() && self.press_in_search(key) {
            return Step { out: self.show(), ended: None };
        }
        let ended = match key {
            Key::Enter => Some(Ended::Line(self.line.text())),
            Key::Control('c') => Some(Ended::Dropped),
            Key::Control('d') if self.line.is_empty() => Some(Ended::Over),
            _ => None,
        };
        if let Some(ended) = ended {
            self.line.end();
            let mark = if ended == Ended::Dropped { "^C" } else { "" };
            return Step { out: format!("{}{mark}\r\n", self.show()), ended: Some(ended) };
        }
        if key == Key::Tab {
            return self.tab();
        }
        let mut before = String::new();
        if key == Key::Control('l') {
            before += "\x1b[H\x1b[2J";
            self.screen = Screen::new(self.columns);
        }
        self.edit(key);
        Step { out: before + &self.show(), ended: None }
    }

    fn edit(&mut self, key: Key) {
        let line = &mut self.line;
        match key {
            Key::Character(character) => line.insert(character.encode_utf8(&mut [0; 4])),
            Key::Backspace => line.backspace(),
            Key::Delete | Key::Control('d') => line.delete(),
            Key::Left | Key::Control('b') => line.left(),
            Key::Right | Key::Control('f') => line.right(),
            Key::Home | Key::Control('a') => line.home(),
            Key::End | Key::Control('e') => line.end(),
            Key::WordLeft => line.word_left(),
            Key::WordRight => line.word_right(),
            Key::WordBackspace => line.cut_word_left(),
            Key::WordDelete => line.cut_word_right(),
            Key::Control('k') => line.cut_to_end(),
            Key::Control('u') => line.cut_to_start(),
            Key::Control('w') => line.cut_word(),
            Key::Control('y') => line.paste(),
            Key::Control('t') => line.swap(),
            Key::Up | Key::Control('p') => {
                if let Some(text) = self.past.up(&line.text()) {
                    line.set(text);
                }
            }
            Key::Down | Key::Control('n') => {
                if let Some(text) = self.past.down() {
                    line.set(text);
                }
            }
            Key::Control('r') => {
                let before = self.past.len();
                self.search = Some(Search { text: String::new(), before, found: String::new() });
            }
            Key::Enter | Key::Tab | Key::Control(_) | Key::Unknown => {}
        }
    }

    /// Whether the key was one of the search, which ends with any other.
    fn press_in_search(&mut self, key: Key) -> bool {
        let Some(search) = &mut self.search else { return false };
        match key {
            Key::Character(character) => search.text.push(character),
            Key::Backspace => {
                search.text.pop();
                search.before = self.past.len();
            }
            Key::Control('r') => {}
            Key::Control('g' | 'c') => {
                self.search = None;
                return true;
            }
            _ => {
                let found = std::mem::take(&mut search.found);
                self.line.set(&found);
                self.search = None;
                return false;
            }
        }
        let from = if key == Key::Control('r') {
            search.before
        } else {
            (search.before + 1).min(self.past.len())
        };
        if let Some((at, line)) = self.past.find(&search.text, from) {
            search.before = at;
            search.found = line.to_owned();
        }
        true
    }

    fn tab(&mut self) -> Step {
        let completion = complete::complete(&self.line.before_cursor(), self.completer);
        let common = completion.common();
        self.line.insert(&common);
        if !common.is_empty() || self.tabs < 2 || completion.candidates.len() < 2 {
            return Step { out: self.show(), ended: None };
        }
        let candidates: Vec<String> =
            completion.candidates.iter().map(|candidate| candidate.trim_end().to_owned()).collect();
        let listed = crate::tools::columns(&candidates, self.columns).replace('\n', "\r\n");
        self.screen = Screen::new(self.columns);
        Step { out: format!("\r\n{listed}{}", self.show()), ended: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Completer for Names {
        fn commands(&self) -> Vec<String> {
            ["cat", "cd"].map(str::to_owned).to_vec()
        }

        fn variables(&self) -> Vec<String> {
            Vec::new()
        }
    }

    /// How a line ends by these bytes, and what was written at last.
    fn typed(bytes: &str, past: &[&str]) -> (Option<Ended>, String) {
        let past: Vec<String> = past.iter().map(|line| (*line).to_owned()).collect();
        let mut editing = Editing::new("# ", &past, 80, &Names);
        let mut decoder = Decoder::default();
        let mut out = editing.show();
        for byte in bytes.bytes() {
            if let Some(key) = decoder.push(byte) {
                let step = editing.press(key);
                out = step.out;
                if step.ended.is_some() {
                    return (step.ended, out);
                }
            }
        }
        (None, out)
    }

    fn line(bytes: &str, past: &[&str]) -> String {
        match typed(bytes, past).0 {
            Some(Ended::Line(line)) => line,
            other => panic!("{bytes:?} ends with {other:?}"),
        }
    }

    #[test]
    fn keys_edit_the_line() {
        assert_eq!(line("echp\x7fo x\r", &[]), "echo x");
        assert_eq!(line("bc\x01a\x05d\r", &[]), "abcd");
        assert_eq!(line("ab\x1b[Dx\x1b[3~\r", &[]), "ax");
        assert_eq!(line("one two\x17\x15\x19!\r", &[]), "one !");
        assert_eq!(line("ca\t\r", &[]), "cat ");
        assert_eq!(line("ä\x7f€\r", &[]), "€");
    }

    #[test]
    fn the_past_comes_back() {
        let past = ["ls /", "cat x"];
        assert_eq!(line("\x1b[A\x1b[A\r", &past), "ls /");
        assert_eq!(line("new\x1b[A\x1b[B\r", &past), "new");
        assert_eq!(line("\x12ls\r", &past), "ls /");
        assert_eq!(line("\x12a\x12\x05 y\r", &past), "cat x y");
        assert_eq!(line("\x12zz\x07ok\r", &past), "ok");
    }

    #[test]
    fn control_keys_drop_a_line_or_end_all() {
        assert_eq!(typed("abc\x03", &[]).0, Some(Ended::Dropped));
        assert_eq!(typed("\x04", &[]).0, Some(Ended::Over));
        assert_eq!(typed("ab\x01\x04", &[]), (None, "\r\x1b[J# b\r\x1b[2C".to_owned()));
        assert_eq!(typed("c\t\t", &[]).1, "\r\ncat  cd\r\n\r\x1b[J# c\r\x1b[3C");
    }
}
