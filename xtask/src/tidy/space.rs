//! Lines end where their text ends, and files with a line.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Files whose white space is what a program really wrote.
const EXEMPT: [&str; 2] = ["snap", "svg"];

/// Checks all text files for white space at the end of lines and for a line break at the end of the file.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files =
        tree.files.iter().filter(|file| !EXEMPT.iter().any(|extension| file.has_extension(extension)));
    files.flat_map(|file| trailing(file).into_iter().chain(unfinished(file))).collect()
}

fn trailing(file: &File) -> Vec<Finding> {
    file.lines()
        .filter(|(_, line)| line.ends_with(char::is_whitespace))
        .map(|(number, _)| Finding::new(&file.path, number, "the line ends with white space", "remove it"))
        .collect()
}

fn unfinished(file: &File) -> Option<Finding> {
    let line = file.text.lines().count();
    let ends = file.text.is_empty() || file.text.ends_with('\n') && !file.text.ends_with("\n\n");
    (!ends).then(|| {
        Finding::new(&file.path, line, "the file does not end with one line break", "end it with one")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_line_ends_where_its_text_ends() {
        assert_eq!(found("a.md", "a\n\nb\n"), 0);
        assert_eq!(found("a.md", "a \nb\t\n"), 2);
        assert_eq!(found("a.snap", "a \n"), 0);
    }

    #[test]
    fn a_file_ends_with_one_line_break() {
        assert_eq!(found("a.md", ""), 0);
        assert_eq!(found("a.md", "a"), 1);
        assert_eq!(found("a.md", "a\n\n"), 1);
    }
}
