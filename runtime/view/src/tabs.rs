//! Text in columns, aligned as Go's `text/tabwriter` aligns it.
//!
//! A cell ends at a tab. Cells that stand below each other in neighbouring lines make a column, and
//! it is as wide as its widest cell; what follows a line's last tab belongs to no column. A line
//! without such a cell ends the column, and another begins below it.
//!
//! Rule: `text/tabwriter` of Go, padded with blanks, as `kubectl get` and `kubectl describe` set it.

/// How wide columns are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tabs {
    /// Of a column with its padding, in characters.
    min_width: usize,
    /// Blanks behind the widest cell.
    padding: usize,
}

/// As `kubectl get`, `events` and `top` print their tables.
pub(crate) const TABLE: Tabs = Tabs { min_width: 6, padding: 3 };

/// As `kubectl describe` prints.
pub(crate) const DESCRIPTION: Tabs = Tabs { min_width: 0, padding: 2 };

impl Tabs {
    /// Aligns `text`.
    pub(crate) fn align(self, text: &str) -> String {
        let mut aligned = String::with_capacity(text.len() * 2);
        // A form feed ends the line and all columns.
        let mut parts = text.split('\u{c}').peekable();
        while let Some(part) = parts.next() {
            let lines: Vec<Vec<&str>> =
                part.split('\n').map(|line| line.split(['\t', '\u{b}']).collect()).collect();
            let mut sheet = Sheet { tabs: self, lines: &lines, widths: Vec::new(), aligned };
            sheet.format(0, lines.len());
            aligned = sheet.aligned;
            if parts.peek().is_some() {
                aligned.push('\n');
            }
        }
        aligned
    }
}

struct Sheet<'text> {
    tabs: Tabs,
    lines: &'text [Vec<&'text str>],
    /// Of the columns that hold the lines at hand, from the left.
    widths: Vec<usize>,
    aligned: String,
}

impl Sheet<'_> {
    /// Writes the lines from `from` to `to`, which all have the columns of `widths`.
    fn format(&mut self, mut from: usize, to: usize) {
        let column = self.widths.len();
        let mut this = from;
        while this < to {
            if !self.has(this, column) {
                this += 1;
                continue;
            }
            self.write(from, this);
            from = this;
            let mut width = self.tabs.min_width;
            while this < to && self.has(this, column) {
                width = width.max(characters(self.lines[this][column]) + self.tabs.padding);
                this += 1;
            }
            self.widths.push(width);
            self.format(from, this);
            self.widths.pop();
            from = this;
        }
        self.write(from, to);
    }

    /// Whether the line has a cell in `column` that a tab ends.
    fn has(&self, line: usize, column: usize) -> bool {
        column + 1 < self.lines[line].len()
    }

    fn write(&mut self, from: usize, to: usize) {
        for line in from..to {
            for (column, cell) in self.lines[line].iter().enumerate() {
                self.aligned.push_str(cell);
                if let Some(width) = self.widths.get(column) {
                    let blanks = width.saturating_sub(characters(cell));
                    self.aligned.extend(std::iter::repeat_n(' ', blanks));
                }
            }
            if line + 1 < self.lines.len() {
                self.aligned.push('\n');
            }
        }
    }
}

fn characters(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_as_wide_as_its_widest_cell_among_neighbouring_lines() {
        let text = "a\tb\nlong cell\tc\nno cell\nx\ty\tz\n\t\tq\n";
        insta::assert_snapshot!(DESCRIPTION.align(text).replace(' ', "."), @r"
        a..........b
        long.cell..c
        no.cell
        x..y..z
        ......q
        ");
    }

    #[test]
    fn characters_count_and_not_bytes() {
        assert_eq!(DESCRIPTION.align("é\tx\nab\ty\n"), "é   x\nab  y\n");
    }

    #[test]
    fn columns_of_tables_have_a_least_width() {
        assert_eq!(TABLE.align("A\tB\n"), "A     B\n");
        assert_eq!(TABLE.align("NAMED\tB\n"), "NAMED   B\n");
        assert_eq!(TABLE.align(""), "");
    }

    #[test]
    fn an_empty_last_cell_leaves_the_blanks_before_it() {
        assert_eq!(TABLE.align("A\tB\nlong value\t\n"), "A            B\nlong value   \n");
    }

    #[test]
    fn a_form_feed_ends_the_columns() {
        assert_eq!(DESCRIPTION.align("a\tb\u{c}longer\tc"), "a  b\nlonger  c");
    }
}
