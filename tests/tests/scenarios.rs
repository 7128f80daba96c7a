//! Every scenario file, on every store. `UPDATE=1` writes the transcripts anew.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use tasker_core::{ManualClock, Timestamp};
use tasker_postgres::testing::TestDatabase;
use tasker_postgres::{Listen, PostgresOptions, PostgresStore};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::Store;
use tasker_store::memory::MemoryStore;
use tasker_tests::scenario::{Scenario, play};

fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    files
}

async fn check<F: AsyncFn(Arc<ManualClock>) -> Result<Arc<dyn Store>>>(make_store: F) -> Result<()> {
    let files = files();
    assert!(files.len() >= 20, "only {} scenarios were found", files.len());
    let mut differences = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let scenario = Scenario::parse(&text).with_context(|| format!("in {}", file.display()))?;
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_790_000_000_000_000)));
        let store = make_store(Arc::clone(&clock)).await?;
        let transcript =
            play(&scenario, store, clock).await.with_context(|| format!("in {}", file.display()))?;
        if transcript == scenario.expected {
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
        if std::env::var("UPDATE").is_ok() {
            let head = text.split_once("---\n").map_or(text.as_str(), |(head, _)| head);
            std::fs::write(&file, format!("{head}---\n{transcript}"))?;
        } else {
            differences.push(format!("{}:\n{transcript}", file.display()));
        }
    }
    assert!(differences.is_empty(), "transcripts differ:\n{}", differences.join("\n"));
    Ok(())
}

#[tokio::test]
async fn every_scenario_goes_as_written_in_memory() -> Result<()> {
    check(async |clock| Ok(Arc::new(MemoryStore::new(clock)) as Arc<dyn Store>)).await
}

#[tokio::test]
async fn every_scenario_goes_as_written_on_sqlite() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = std::cell::Cell::new(0);
    check(async |clock| {
        files.set(files.get() + 1);
        let path = folder.path().join(format!("{}.db", files.get()));
        let options = SqliteOptions { clock, ..SqliteOptions::default() };
        Ok(Arc::new(SqliteStore::open(&path.display().to_string(), options).await?) as Arc<dyn Store>)
    })
    .await
}

#[tokio::test]
async fn every_scenario_goes_as_written_on_postgres() -> Result<()> {
    // One database for all of them: a task of one scenario is nothing to another.
    let database = TestDatabase::create().await;
    check(async |clock| {
        let options =
            PostgresOptions { clock: Some(clock), listen: Listen::Off, ..PostgresOptions::default() };
        Ok(Arc::new(PostgresStore::connect(database.url(), options).await?) as Arc<dyn Store>)
    })
    .await
}
