//! Where the database is, and what may be wrong with that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a database could not be opened, as the source of a
/// [`StoreError::Refused`](tasker_store::StoreError::Refused).
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing was named, or a database in memory.
    #[error(
        "no file is named: write the path of a file, such as tasker.db; a database in memory would be lost"
    )]
    NoFile,
    /// Another kind of database.
    #[error("{url} is not the address of a SQLite database: write a path, or sqlite:// and a path")]
    OtherScheme {
        /// What was given.
        url: String,
    },
    /// Parameters that mean nothing here.
    #[error("{url} has parameters that are not known here: leave out all from the question mark on")]
    Parameters {
        /// What was given.
        url: String,
    },
    /// A folder has the name.
    #[error("{path} is a folder: name a file in it, such as {}", .path.join("tasker.db").display())]
    Folder {
        /// The path.
        path: PathBuf,
    },
    /// The folder it should be in cannot be made.
    #[error(
        "the folder {folder} cannot be made: choose another place, or make it and allow this user to write in it"
    )]
    NoFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file or its folder may not be read or written.
    #[error(
        "{path} cannot be opened: allow this user to write the file and its folder, or choose another place"
    )]
    Forbidden {
        /// The path.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The file holds something else.
    #[error("{path} is not a SQLite database: choose another name, or move the file away")]
    NotADatabase {
        /// The path.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error("{path} is a database of another program: choose another name")]
    OtherProgram {
        /// The path.
        path: PathBuf,
    },
    /// A migration that was applied is not the one known here.
    #[error(
        "migration {version} ({name}) of {path} is not the one that this program knows: \
         use the release that made the database, or another database"
    )]
    OtherMigration {
        /// The path.
        path: PathBuf,
        /// The version of the schema.
        version: i64,
        /// The name of the migration in the database.
        name: String,
    },
}

/// The file meant by a path, or by an address such as `sqlite:///var/lib/tasker/tasker.db`.
pub(crate) fn locate(path_or_url: &str) -> Result<PathBuf, OpenError> {
    let text = path_or_url.trim();
    let is_url = text.starts_with("sqlite:");
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    let path = if is_url { path.strip_prefix("//").unwrap_or(path) } else { path };
    let path = if is_url { path.strip_suffix("?mode=rwc").unwrap_or(path) } else { path };
    if path.is_empty() || path == ":memory:" {
        return Err(OpenError::NoFile);
    }
    if path.contains("://") {
        return Err(OpenError::OtherScheme { url: text.to_owned() });
    }
    if is_url && path.contains('?') {
        return Err(OpenError::Parameters { url: text.to_owned() });
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    if path.is_dir() {
        return Err(OpenError::Folder { path });
    }
    Ok(path)
}

/// Makes the folder that a file is to be in.
pub(crate) fn make_folder_of(path: &Path) -> Result<(), OpenError> {
    match path.parent() {
        Some(folder) => fs::create_dir_all(folder)
            .map_err(|source| OpenError::NoFolder { folder: folder.to_owned(), source }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        locate(text).expect_err("nothing to open").to_string()
    }

    #[test]
    fn a_path_and_an_address_name_the_same_file() {
        let path = PathBuf::from("/var/lib/tasker.db");
        for text in ["/var/lib/tasker.db", "sqlite:/var/lib/tasker.db", "sqlite:///var/lib/tasker.db"] {
            assert_eq!(locate(text).expect("a file"), path, "{text}");
        }
        assert_eq!(locate("sqlite:///var/lib/tasker.db?mode=rwc").expect("a file"), path);
        assert!(locate("tasker.db").expect("a file").is_absolute());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_to_do() {
        assert!(said("").contains("write the path of a file"));
        assert!(said(":memory:").contains("would be lost"));
        assert!(said("postgres://localhost/tasker").contains("not the address of a SQLite database"));
        assert!(said("sqlite://tasker.db?cache=shared").contains("leave out"));
        assert!(said("/tmp").contains("/tmp is a folder: name a file in it, such as /tmp/tasker.db"));
    }
}
