//! Tables whose columns align.

use crate::paint::Paint;
use crate::words::{cut, padded, width};

/// What stands between two columns.
const GAP: &str = "  ";

/// Rows under a heading. Cells may be coloured.
#[derive(Debug)]
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: impl IntoIterator<Item = &'static str>) -> Self {
        Self { heading: heading.into_iter().collect(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines of the table, none longer than `columns` if it can be helped: the last column is cut.
    pub(crate) fn lines(&self, paint: Paint, columns: usize) -> Vec<String> {
        let widths = self.widths();
        let heading: Vec<String> = self.heading.iter().map(|title| paint.dim(title)).collect();
        let rows = std::iter::once(&heading).chain(&self.rows);
        rows.map(|row| line(row, &widths, columns)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|title| width(title)).collect();
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = (*widest).max(width(cell));
            }
        }
        widths
    }
}

fn line(row: &[String], widths: &[usize], columns: usize) -> String {
    let cells = row.iter().zip(widths).map(|(cell, width)| padded(cell, *width));
    let line = cells.collect::<Vec<_>>().join(GAP);
    cut(line.trim_end(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_and_lines_end_with_their_text() {
        let mut table = Table::new(["ID", "STATE", "WHAT"]);
        table.row(["1".to_owned(), Paint::new(true).bold("complete"), "a".to_owned()]);
        table.row(["12345".to_owned(), "error".to_owned(), String::new()]);
        let lines = table.lines(Paint::PLAIN, 80);
        assert_eq!(lines, ["ID     STATE     WHAT", "1      \u{1b}[1mcomplete\u{1b}[0m  a", "12345  error"]);
    }
}
