//! No text knows on whose machine it was written.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Folders in which people live and work.
const HOMES: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// Checks all text files for absolute paths into somebody's home.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files.iter().flat_map(homes).collect()
}

fn homes(file: &File) -> impl Iterator<Item = Finding> + '_ {
    file.lines().filter_map(|(number, line)| {
        let home = HOMES.into_iter().find(|home| is_absolute(line, home))?;
        let remedy = "write it relative to the repository, or use a path that everybody has";
        Some(Finding::new(&file.path, number, format!("an absolute path under `{home}`"), remedy))
    })
}

/// Whether the path begins here, rather than being the middle of a longer one or of a URL.
fn is_absolute(line: &str, home: &str) -> bool {
    let is_path = |c: char| c.is_alphanumeric() || "._-~*})]".contains(c);
    line.match_indices(home).any(|(at, _)| !line[..at].ends_with(is_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&Tree::of(&[("docs/a.md", text)])).len()
    }

    #[test]
    fn an_absolute_path_into_a_home_is_found() {
        for home in HOMES {
            assert_eq!(found(&format!("see {home}someone/notes")), 1, "{home}");
            assert_eq!(found(&format!("file://{home}someone")), 1, "{home}");
        }
    }

    #[test]
    fn the_middle_of_a_path_is_free() {
        for home in HOMES {
            assert_eq!(found(&format!("https://example.org{home}page docs{home}x ..{home}y")), 0, "{home}");
        }
    }
}
