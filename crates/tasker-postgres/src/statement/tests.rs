use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tasker_store::StoreError;

use super::*;
use crate::database::Database;
use crate::literal::{List, array_input};
use crate::options::PostgresOptions;
use crate::store::PostgresStore;
use crate::testing::TestDatabase;

const HOSTILE: &[&str] = &[
    "",
    "'",
    "\\",
    "\\'; drop schema tasker cascade; --",
    "$1 and $2 and $$",
    "E'\\x41'",
    "{\"a\",NULL}",
    "NULL",
    "a\nb\r\n\tc -- d /* e",
    "ünïcödé \u{1F600} \u{202E}\u{FEFF}",
    "\u{1}\u{7f}\u{85}",
    "\\u0000",
];

async fn connection(database: &TestDatabase) -> PgConnection {
    let options: PgConnectOptions = database.url().parse().expect("a URL");
    options.connect().await.expect("the test server answers")
}

fn files(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else {
            let noun = folder.file_name().expect("a name").to_string_lossy();
            found.insert(format!("{noun}/{}", entry.file_stem().expect("a name").to_string_lossy()));
        }
    }
}

#[test]
fn every_file_is_a_statement_and_every_statement_a_file() {
    let mut found = BTreeSet::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("queries"), &mut found);
    let listed: BTreeSet<_> = ALL.iter().map(|statement| statement.name.to_owned()).collect();
    assert_eq!(listed, found);
}

#[test]
fn every_statement_says_what_it_locks_and_what_it_uses() {
    for Statement { name, text } in ALL {
        let lines: Vec<_> = text.lines().collect();
        let header = lines.iter().take_while(|line| line.starts_with("-- ")).count();
        assert!(header >= 3, "{name}: what it does, what it locks, what it uses");
        assert!(lines[..header].iter().any(|line| line.starts_with("-- Locks: ")), "{name}");
        assert!(lines[header - 1].starts_with("-- Uses: "), "{name}");
        let body = lines[header..].join("\n");
        assert!(!body.contains("--"), "{name}: only the header is cut off");
        assert!(!body.contains(';'), "{name}: one statement");
    }
}

#[tokio::test]
async fn every_statement_can_be_prepared() {
    let database = TestDatabase::create().await;
    PostgresStore::connect(database.url(), PostgresOptions::default()).await.expect("a store");
    let mut connection = connection(&database).await;
    for Statement { name, text } in ALL {
        let prepare = format!("prepare statement as {text}; deallocate statement");
        let answer = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut connection).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

/// Sends `select` with arguments and returns the text of the first column.
async fn echo(database: &Database, text: &'static str, argument: &dyn Literal) -> Result<String, StoreError> {
    let rows = database.read("echoing", Statement { name: "test/echo", text }, &[argument]).await?;
    Ok(rows[0].of("echo").text("echo")?.to_owned())
}

#[tokio::test]
async fn hostile_texts_come_back_as_they_were() {
    let test = TestDatabase::create().await;
    let database = Database::connect(test.url(), &PostgresOptions::default()).await.expect("a database");
    let long = "x'\\".repeat(3_500_000);
    for text in HOSTILE.iter().copied().chain([long.as_str()]) {
        let back = echo(&database, "select $1::text as echo", &text).await.expect("an echo");
        assert!(back == text, "{text:.80?} became {back:.80?}");
        let listed = List(&[Some(text), None]);
        let back = echo(&database, "select ($1::text[])[1] as echo", &listed).await.expect("an echo");
        assert!(back == text, "{text:.80?} in a list became {back:.80?}");
        let nested = array_input(&["x", text]);
        let back = echo(&database, "select (($1::text[])[1]::text[])[2] as echo", &List(&[nested])).await;
        assert!(back.expect("an echo") == text, "{text:.80?} in a list of lists");
        let json = serde_json::to_string(&[text]).expect("JSON");
        let back = echo(&database, "select $1::json as echo", &json).await.expect("an echo");
        assert_eq!(serde_json::from_str::<Vec<String>>(&back).expect("JSON"), [text]);
    }
}

#[tokio::test]
async fn literals_mean_the_same_whatever_the_session_says_of_strings() {
    let test = TestDatabase::create().await;
    let mut connection = connection(&test).await;
    sqlx::raw_sql("set standard_conforming_strings = off; set escape_string_warning = on")
        .execute(&mut connection)
        .await
        .expect("set");
    for text in HOSTILE {
        let script = Script::of(Statement { name: "test/echo", text: "select $1::text as echo" }, &[text]);
        let message = script.expect("no NUL").into_text();
        let results = crate::database::collect(&mut connection, &message, 1).await.expect("an echo");
        assert_eq!(results[0][0].of("echo").text("echo").expect("a text"), *text);
    }
}

#[tokio::test]
async fn nul_in_json_is_stored_and_nul_in_a_text_is_refused_before_it_is_sent() {
    let test = TestDatabase::create().await;
    let database = Database::connect(test.url(), &PostgresOptions::default()).await.expect("a database");
    let json = serde_json::json!({ "a\0": "b\0" }).to_string();
    let back = echo(&database, "select $1::json as echo", &json).await.expect("an echo");
    assert_eq!(back, json);
    let refused = echo(&database, "select $1::text as echo", &"a\0b").await.expect_err("refused");
    assert!(matches!(refused, StoreError::Refused { .. }), "{refused:?}");
}

#[tokio::test]
async fn numbers_and_times_come_back_exactly() {
    let test = TestDatabase::create().await;
    PostgresStore::connect(test.url(), PostgresOptions::default()).await.expect("a store");
    let database = Database::connect(test.url(), &PostgresOptions::default()).await.expect("a database");
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        let back = echo(&database, "select $1::bigint as echo", &number).await.expect("an echo");
        assert_eq!(back, number.to_string());
    }
    let epoch = 1_790_000_000_000_000;
    for micros in [0, -1, epoch, epoch + 1, epoch + 999_999, (1 << 53) + 1, i64::MAX, -62_135_596_800_000_001]
    {
        let back = echo(&database, "select tasker.micros(tasker.at($1::bigint)) as echo", &micros).await;
        assert_eq!(back.expect("an echo"), micros.to_string());
    }
    let sum = "select tasker.later($1::bigint, 9223372036854775807) as echo";
    assert_eq!(echo(&database, sum, &epoch).await.expect("an echo"), i64::MAX.to_string());
}
