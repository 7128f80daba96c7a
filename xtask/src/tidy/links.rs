//! Links between pages lead somewhere.

use super::finding::Finding;
use super::tree::{File, Tree};

/// Checks the relative links of Markdown files.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.files.iter().filter(|file| file.has_extension("md"));
    pages.flat_map(|file| broken(tree, file)).collect()
}

fn broken(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_code = false;
    for (number, line) in file.lines() {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        is_code ^= is_fence;
        if is_code || is_fence {
            continue;
        }
        let targets = targets(line).into_iter().filter(|target| is_relative(target));
        findings.extend(targets.filter(|target| !leads_somewhere(tree, file, target)).map(|target| {
            let wrong = format!("the link to `{target}` leads nowhere");
            Finding::new(&file.path, number, wrong, "correct the path, or remove the link")
        }));
    }
    findings
}

/// What `[text](target)` and `[name]: target` lead to, outside of code.
fn targets(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let named = prose.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    let named = named.and_then(|(_, target)| target.split_whitespace().next());
    inline.chain(named).map(str::to_owned).collect()
}

fn is_relative(target: &str) -> bool {
    !target.is_empty() && !target.starts_with(['#', '/', '<']) && !target.contains(':')
}

fn leads_somewhere(tree: &Tree, file: &File, target: &str) -> bool {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let mut place: Vec<&str> = file.path.split('/').collect();
    place.pop();
    for part in target.split('/') {
        match part {
            ".." if place.pop().is_none() => return false,
            "" | "." | ".." => {}
            _ => place.push(part),
        }
    }
    tree.has(&place.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::lines;

    fn found(text: &str) -> Vec<String> {
        let files =
            [("docs/guides/a.md", text), ("docs/walk.md", ""), ("README.md", ""), ("docs/a b.md", "")];
        lines(&check(&Tree::of(&files)))
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_found() {
        let finding = "docs/guides/a.md:2: the link to `../gone.md` leads nowhere; correct the path, or remove the link";
        assert_eq!(found("# A\n[one](../walk.md) [two](../gone.md)\n"), [finding]);
        assert_eq!(found("[name]: ../../../README.md").len(), 1, "outside of the repository");
    }

    #[test]
    fn links_to_files_folders_and_other_places_are_welcome() {
        let text = "[a](../walk.md#top) [b](../../README.md) [c](..) [d](https://example.org/x) [e](#here)\n\
                    [f]: ../walk.md\n[g](mailto:a@example.org) [h](../walk.md \"title\")\n";
        assert_eq!(found(text), Vec::<String>::new());
    }

    #[test]
    fn code_is_no_link() {
        assert_eq!(found("`[a](gone.md)`\n```\n[b](gone.md)\n```\n"), Vec::<String>::new());
    }
}
