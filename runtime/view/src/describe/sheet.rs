//! The page that a description is written on.

use crate::{escape, tabs};

/// Text with tabs, which line up when it is done.
pub(super) struct Sheet {
    done: String,
    open: String,
    /// Levels that everything is indented by.
    base: usize,
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self { done: String::new(), open: String::new(), base: 0 }
    }

    /// Writes `text` behind the blanks of `level`, two for each.
    pub(super) fn write(&mut self, level: usize, text: impl AsRef<str>) {
        self.open.extend(std::iter::repeat_n("  ", self.base + level));
        self.append(text.as_ref());
    }

    /// Writes a line `name: value`, in two columns.
    pub(super) fn field(&mut self, level: usize, name: &str, value: impl AsRef<str>) {
        self.write(level, format!("{name}:\t{}\n", value.as_ref()));
    }

    /// Writes on, and ends the line. Where all is indented, kubectl indents this too.
    pub(super) fn end_line(&mut self, text: &str) {
        self.write(0, text);
        self.open.push('\n');
    }

    /// What `write` writes is indented by `levels` more.
    pub(super) fn nested(&mut self, levels: usize, write: impl FnOnce(&mut Self)) {
        self.base += levels;
        write(self);
        self.base -= levels;
    }

    /// What follows has columns of its own.
    pub(super) fn end_columns(&mut self) {
        self.done += &tabs::DESCRIPTION.align(&std::mem::take(&mut self.open));
    }

    pub(super) fn finish(mut self) -> String {
        self.end_columns();
        self.done
    }

    fn append(&mut self, text: &str) {
        self.open.push_str(&escape::terminal(text));
    }
}
