//! A table that is printed again and again: in place on a terminal.

use std::io::{self, Write as _};

use anstyle::Style;

use crate::print::table::cut;

const HEADER: Style = Style::new().bold();

/// Where tables are printed.
#[derive(Debug, Default)]
pub(super) struct Screen {
    /// Lines of the table before, which is replaced.
    lines: usize,
}

impl Screen {
    /// Prints `table` in place of the one before, on the terminal that standard output is.
    ///
    /// # Errors
    /// Standard output is gone.
    pub(super) fn replace(&mut self, table: &[String]) -> io::Result<()> {
        let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
        let (width, height) =
            size.map_or((usize::MAX, usize::MAX), |size| (size.ws_col.into(), size.ws_row.into()));
        let text = page(table, self.lines, width, height);
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        self.lines = table.len().min(room(height));
        Ok(())
    }
}

/// Prints `table` once.
///
/// # Errors
/// Standard output is gone.
pub(super) fn print(table: &[String]) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    out.write_all(page(table, 0, usize::MAX, usize::MAX).as_bytes())?;
    out.flush()
}

/// The last line of a terminal is where the cursor stands.
fn room(height: usize) -> usize {
    height.saturating_sub(1).max(1)
}

/// The table, cut to the terminal, after what takes the `before` lines of the last one away.
fn page(table: &[String], before: usize, width: usize, height: usize) -> String {
    let mut text = String::new();
    if before > 0 {
        // Up to its first line, and clear from there to the end of the screen.
        text += &format!("\x1b[{before}A\x1b[J");
    }
    for (index, line) in table.iter().take(room(height)).enumerate() {
        let line = cut(line, width);
        if index == 0 {
            text += &format!("{HEADER}{line}{HEADER:#}\n");
        } else {
            text += line;
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before_and_never_more_than_the_terminal() {
        let table = ["HEAD", "one", "two"].map(str::to_owned);
        let bold = |text: &str| format!("{HEADER}{text}{HEADER:#}");
        assert_eq!(page(&table, 0, 80, 24), format!("{}\none\ntwo\n", bold("HEAD")));
        assert_eq!(page(&table, 3, 2, 3), format!("\x1b[3A\x1b[J{}\non\n", bold("HE")));
    }
}
