//! The fixture files.

use std::path::Path;

/// The name and the text of every fixture, in the order of their names.
pub(crate) fn fixtures() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates");
    let files = std::fs::read_dir(folder).expect("the folder of fixtures");
    let mut fixtures: Vec<(String, String)> = files
        .map(|file| file.expect("a file").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("a text"))
        })
        .collect();
    fixtures.sort();
    fixtures
}
