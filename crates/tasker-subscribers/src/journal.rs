//! A file of lines that survives a crash: a line is there as a whole or not at all.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The end of a file is looked through in pieces of this size.
const PIECE: u64 = 8 * 1024;

/// When a file is renamed, and how many renamed ones are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    /// Past this size.
    pub(crate) bytes: u64,
    /// So many.
    pub(crate) keep: u32,
}

/// A file to which lines are appended.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    pub(crate) path: PathBuf,
    pub(crate) rotation: Option<Rotation>,
}

impl Journal {
    /// Appends lines, and returns when they are on the disk.
    ///
    /// The file is opened anew each time, so that it may be renamed in between. A half line that a crash left at its
    /// end is cut off first: it was never acknowledged, and comes again.
    pub(crate) async fn append(&self, lines: Vec<u8>) -> io::Result<()> {
        let journal = self.clone();
        let appended = tokio::task::spawn_blocking(move || journal.append_now(&lines));
        appended.await.map_err(io::Error::other)?
    }

    fn append_now(&self, lines: &[u8]) -> io::Result<()> {
        let is_there = self.path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::other("another process is writing to it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let length = whole_lines(&mut file)?;
        let written =
            file.set_len(length).and_then(|()| file.write_all(lines)).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // What was written of them comes again.
            let _ = file.set_len(length);
            return Err(error);
        }
        if !is_there {
            sync_folder(&self.path)?;
        }
        match self.rotation {
            Some(rotation) if length + lines.len() as u64 > rotation.bytes => self.rotate(rotation.keep),
            _ => Ok(()),
        }
    }

    fn rotate(&self, keep: u32) -> io::Result<()> {
        for number in (1..keep).rev() {
            let from = self.numbered(number);
            if from.exists() {
                fs::rename(from, self.numbered(number + 1))?;
            }
        }
        fs::rename(&self.path, self.numbered(1))?;
        sync_folder(&self.path)
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

/// The length of a file up to the end of its last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(PIECE);
        file.seek(SeekFrom::Start(start))?;
        let mut piece = Vec::new();
        file.take(end - start).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Makes a name in a folder last.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(folder: &tempfile::TempDir, rotation: Option<Rotation>) -> Journal {
        Journal { path: folder.path().join("events.ndjson"), rotation }
    }

    #[test]
    fn a_half_line_at_the_end_is_cut_off() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = journal(&folder, None);
        for (left, kept) in [("", ""), ("{\"a\":", ""), ("one\ntwo\nthr", "one\ntwo\n"), ("one\n", "one\n")] {
            fs::write(&journal.path, left).expect("written");
            journal.append_now(b"next\n").expect("appended");
            assert_eq!(fs::read_to_string(&journal.path).expect("read"), format!("{kept}next\n"));
        }
        let long = format!("one\n{}", "x".repeat(30_000));
        fs::write(&journal.path, long).expect("written");
        journal.append_now(b"two\n").expect("appended");
        assert_eq!(fs::read_to_string(&journal.path).expect("read"), "one\ntwo\n");
    }

    #[test]
    fn past_its_size_it_is_renamed_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = journal(&folder, Some(Rotation { bytes: 3, keep: 2 }));
        for line in ["one\n", "two\n", "three\n", "4\n"] {
            journal.append_now(line.as_bytes()).expect("appended");
        }
        let read = |path: PathBuf| fs::read_to_string(path).expect("read");
        assert_eq!(read(journal.path.clone()), "4\n");
        assert_eq!([read(journal.numbered(1)), read(journal.numbered(2))], ["three\n", "two\n"]);
        assert!(!journal.numbered(3).exists());
    }

    #[test]
    fn two_do_not_write_at_the_same_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = journal(&folder, None);
        let other = File::create(&journal.path).expect("created");
        other.lock().expect("locked");
        let error = journal.append_now(b"one\n").expect_err("locked");
        assert!(error.to_string().contains("another process"), "{error}");
    }
}
