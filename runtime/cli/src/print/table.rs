//! Rows in columns, as kubectl prints them. Pure.

/// Between two columns.
const GAP: &str = "   ";

/// Lines of equal columns, the header first; the last column has no padding.
pub(crate) fn columns(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = header.iter().map(|name| name.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.chars().count())));
            text.push_str(GAP);
        }
        text.truncate(text.trim_end().len());
        text
    };
    let head = line(&mut header.iter().copied());
    let body = rows.iter().map(|row| line(&mut row.iter().map(String::as_str)));
    std::iter::once(head).chain(body).collect()
}

/// What of `line` fits into so many columns of a terminal.
pub(crate) fn cut(line: &str, width: usize) -> &str {
    line.char_indices().nth(width).map_or(line, |(end, _)| &line[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let rows = [["web", "1m"], ["database", ""]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(
            columns(&["POD", "CPU"], &rows),
            ["POD        CPU", "web        1m", "database"]
        );
        assert_eq!(columns(&["POD", "CPU"], &[]), ["POD   CPU"]);
    }

    #[test]
    fn lines_are_cut_between_letters() {
        assert_eq!([cut("abc", 2), cut("äöü", 2), cut("abc", 3)], ["ab", "äö", "abc"]);
    }
}
