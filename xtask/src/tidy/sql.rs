//! Every statement is a file with a header; every migration has its number.

use super::finding::Finding;
use super::tree::{File, Tree};

/// What it does; which rows it locks, in which order; which index it uses: a line each, or fewer that name the index.
const HEADER: usize = 3;

/// Checks the SQL files of the crates.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let files =
        tree.files.iter().filter(|file| file.path.starts_with("crates/") && file.has_extension("sql"));
    files.filter_map(|file| if is_migration(file) { migration(file) } else { statement(file) }).collect()
}

fn is_migration(file: &File) -> bool {
    file.path.contains("/migrations/")
}

fn migration(file: &File) -> Option<Finding> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        let remedy = "begin its name with the next number";
        return Some(Finding::new(&file.path, 1, "a migration has no number", remedy));
    }
    (header(file) == 0).then(|| {
        let remedy = "say in a comment on top what it changes and why";
        Finding::new(&file.path, 1, "a migration has no header", remedy)
    })
}

fn statement(file: &File) -> Option<Finding> {
    if !has_place(&file.path) {
        let remedy = "move it to queries/<noun>/<verb>.sql";
        return Some(Finding::new(
            &file.path,
            1,
            "a statement is not named by its noun and its verb",
            remedy,
        ));
    }
    let words: String = file.text.lines().map_while(|line| line.strip_prefix("--")).collect();
    let is_whole = header(file) >= HEADER || words.to_lowercase().contains("index");
    (!is_whole).then(|| {
        let remedy = "say on top what it does, which rows it locks in which order, and which index it uses";
        Finding::new(&file.path, 1, "the header of a statement leaves something out", remedy)
    })
}

/// `…/queries/<noun>/<verb>.sql`
fn has_place(path: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let place = path.rsplit_once("/queries/").and_then(|(_, place)| place.strip_suffix(".sql"));
    place.and_then(|place| place.split_once('/')).is_some_and(|(noun, verb)| is_name(noun) && is_name(verb))
}

/// The lines of comment on top that say something.
fn header(file: &File) -> usize {
    let comments = file.text.lines().map_while(|line| line.strip_prefix("--"));
    comments.filter(|comment| !comment.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADED: &str = "-- Takes ready steps.\n-- Locks steps by id.\n-- Index: ready.\nselect 1;\n";

    fn found(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_statement_has_a_whole_header() {
        assert_eq!(found("crates/a/queries/step/claim.sql", HEADED), 0);
        assert_eq!(found("crates/a/queries/step/claim.sql", "-- Takes.\n--\n--\nselect 1;\n"), 1);
        assert_eq!(
            found("crates/a/queries/step/claim.sql", &format!("\n{HEADED}")),
            1,
            "the header is on top"
        );
    }

    #[test]
    fn a_statement_is_named_by_its_noun_and_its_verb() {
        for path in ["crates/a/claim.sql", "crates/a/queries/claim.sql", "crates/a/queries/a/b/c.sql"] {
            assert_eq!(found(path, HEADED), 1, "{path}");
        }
    }

    #[test]
    fn a_migration_has_a_number_and_a_header() {
        assert_eq!(found("crates/a/migrations/0001_steps.sql", "-- The first tables.\n"), 0);
        assert_eq!(found("crates/a/migrations/steps.sql", "-- The first tables.\n"), 1);
        assert_eq!(found("crates/a/migrations/0001_steps.sql", "create table x;\n"), 1);
    }

    #[test]
    fn other_folders_are_free() {
        assert_eq!(found("deploy/grafana/query.sql", "select 1;\n"), 0);
    }
}
