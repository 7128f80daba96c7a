//! Where a server comes from.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::recipe::{Companion, Recipe};
use super::{docker, install, say};

/// Where a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Somebody else's, at this URL.
    Given(String),
    /// A program of this machine.
    Program(PathBuf),
    /// A container.
    Docker,
}

/// Folders that are not always in PATH. `*` stands for a version, of which the highest is taken.
const FOLDERS: [&str; 6] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/lib/postgresql/*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/postgresql*/bin",
];

/// Finds every server, or says in one line which are missing and how to get them.
pub(super) fn find_all(recipes: &[&Recipe]) -> Result<Vec<Origin>> {
    let mut found: Vec<Option<Origin>> = recipes.iter().map(|recipe| find(recipe)).collect();
    let mut packages: Vec<_> = missing(recipes, &found).iter().map(|recipe| recipe.package).collect();
    packages.extend(missing_companions(recipes).iter().map(|companion| companion.name));
    if !packages.is_empty() && install::is_possible() {
        match install::install(&packages) {
            Ok(()) => found = recipes.iter().map(|recipe| find(recipe)).collect(),
            Err(error) => say(&format!("{error:#}")),
        }
    }
    let absent = missing(recipes, &found);
    if !absent.is_empty() && !docker::answers() {
        bail!("{}", absent.iter().map(|recipe| how_to_get(recipe)).collect::<Vec<_>>().join("; "));
    }
    for line in recipes.iter().flat_map(|recipe| shortages(recipe)) {
        say(&line);
    }
    Ok(found.into_iter().map(|origin| origin.unwrap_or(Origin::Docker)).collect())
}

/// The program that tests start beside a server.
pub(super) fn companion(companion: &Companion) -> Option<PathBuf> {
    given(companion.variable).map(PathBuf::from).or_else(|| named(companion.name))
}

/// The program of this machine that has this name.
pub(super) fn named(name: &str) -> Option<PathBuf> {
    find_program(name, &folders(&env::var_os("PATH").unwrap_or_default()))
}

/// The program of this machine, also when another server is given.
pub(super) fn program(recipe: &Recipe) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = folders(&path);
    recipe.programs.iter().find_map(|name| find_program(name, &folders))
}

/// The folder in which the program itself stands and not a link to it: there are its neighbours.
pub(super) fn home(program: &Path) -> Option<PathBuf> {
    fs::canonicalize(program).ok()?.parent().map(Path::to_owned)
}

fn find(recipe: &Recipe) -> Option<Origin> {
    given(recipe.url_variable).map(Origin::Given).or_else(|| program(recipe).map(Origin::Program))
}

/// What the environment names, if it names something.
#[expect(
    clippy::disallowed_methods,
    reason = "no settings are read here: this is the door for what tests are given"
)]
pub(super) fn given(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

fn missing_companions<'a>(recipes: &[&'a Recipe]) -> Vec<&'a Companion> {
    let companions = recipes.iter().filter_map(|recipe| recipe.companion.as_ref());
    companions.filter(|wanted| companion(wanted).is_none()).collect()
}

fn missing<'a>(recipes: &[&'a Recipe], found: &[Option<Origin>]) -> Vec<&'a Recipe> {
    recipes.iter().zip(found).filter(|(_, origin)| origin.is_none()).map(|(recipe, _)| *recipe).collect()
}

fn how_to_get(recipe: &Recipe) -> String {
    let Recipe { name, package, url_variable, .. } = recipe;
    format!("{name} is missing: install {package}, start Docker, or set {url_variable}")
}

/// What only tests of one trade need and neither a container nor somebody else's server brings, a line each.
fn shortages(recipe: &Recipe) -> Vec<String> {
    let companion = recipe.companion.as_ref().filter(|wanted| companion(wanted).is_none());
    let programs = recipe.bin_variable.filter(|_| program(recipe).is_none());
    programs.map(|_| without_programs(recipe)).into_iter().chain(companion.map(without_companion)).collect()
}

fn without_programs(Recipe { name, package, .. }: &Recipe) -> String {
    format!("the programs of {name} are missing, and tests that stop and start it fail: install {package}")
}

fn without_companion(Companion { name, variable }: &Companion) -> String {
    format!(
        "{name} is missing, and tests that put it before a server fail: install {name}, or set {variable} to its path"
    )
}

/// The folders to look into: those of PATH, then ours.
fn folders(path: &OsStr) -> Vec<PathBuf> {
    env::split_paths(path).chain(FOLDERS.iter().flat_map(|pattern| versions(pattern))).collect()
}

/// The folders that a pattern with one `*` stands for, the highest version first.
fn versions(pattern: &str) -> Vec<PathBuf> {
    let Some((start, end)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = start.rsplit_once('/').unwrap_or(("", start));
    let mut names: Vec<String> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_by_key(|name| std::cmp::Reverse(version_number(name)));
    names.into_iter().map(|name| PathBuf::from(format!("{parent}/{name}{end}"))).collect()
}

fn version_number(name: &str) -> u32 {
    let digits: String =
        name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(0)
}

fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::services::{memcached, postgres};

    fn add_program(folder: &Path, name: &str) {
        fs::create_dir_all(folder).expect("a folder");
        fs::write(folder.join(name), "").expect("a file");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("a program");
    }

    #[test]
    fn the_highest_version_wins_as_a_number() {
        let root = tempfile::tempdir().expect("a folder");
        for version in ["9", "17", "15"] {
            add_program(&root.path().join(version).join("bin"), "initdb");
        }
        let pattern = format!("{}/*/bin", root.path().display());
        let found = find_program("initdb", &versions(&pattern)).expect("a program");
        assert!(found.ends_with("17/bin/initdb"), "{}", found.display());
    }

    #[test]
    fn a_link_leads_to_the_folder_of_the_program() {
        let root = tempfile::tempdir().expect("a folder");
        add_program(&root.path().join("15/bin"), "initdb");
        symlink(root.path().join("15/bin/initdb"), root.path().join("initdb")).expect("a link");
        let found = find_program("initdb", &[root.path().to_owned()]).expect("a program");
        assert_eq!(found, root.path().join("initdb"), "a program may go by its link's name");
        assert!(home(&found).expect("a folder").ends_with("15/bin"));
    }

    #[test]
    fn a_file_that_cannot_be_executed_is_no_program() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("initdb"), "").expect("a file");
        assert_eq!(find_program("initdb", &[root.path().to_owned()]), None);
    }

    #[test]
    fn what_is_missing_is_told_in_one_line_with_a_way_to_get_it() {
        let wanted =
            "memcached is missing: install memcached, start Docker, or set TASKER_TEST_MEMCACHED_URL";
        assert_eq!(how_to_get(&memcached::RECIPE), wanted);
        let postgres = &postgres::RECIPE;
        let wanted = "the programs of postgres are missing, and tests that stop and start it fail: \
                      install postgresql";
        assert_eq!(without_programs(postgres), wanted);
        let wanted = "pgbouncer is missing, and tests that put it before a server fail: \
                      install pgbouncer, or set TASKER_TEST_PGBOUNCER to its path";
        assert_eq!(postgres.companion.as_ref().map(without_companion).as_deref(), Some(wanted));
    }
}
