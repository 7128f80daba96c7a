//! Every statement is prepared against a real database, and those that work is waited for have their plan read.

use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row, SqliteConnection};

use super::{ALL, CLAIM_STEPS, INSERT_TASKS, OPEN_SESSION, RENEW_LEASES, SETTLE_STEPS};
use crate::{SqliteOptions, SqliteStore};

/// The tables that grow, and what they are called in statements.
const GROWING: [&str; 6] = ["steps", "s", "tasks", "t", "transitions", "r"];

/// Statements of which a plan says nothing.
const WITHOUT_PLAN: [&str; 4] = ["begin", "commit", "rollback", "pragma"];

/// A connection with all that the writer has.
async fn session() -> (SqliteConnection, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tasker.db");
    let store = SqliteStore::open(path.to_str().expect("UTF-8"), SqliteOptions::default()).await;
    store.expect("a new database").close().await.expect("closed");
    // With foreign keys on, plans show loops that run only while a deferred one is violated.
    let options = SqliteConnectOptions::new().filename(&path).foreign_keys(false);
    let mut connection = options.connect().await.expect("a connection");
    for text in [OPEN_SESSION, INSERT_TASKS, SETTLE_STEPS, RENEW_LEASES, CLAIM_STEPS] {
        connection.execute(sqlx::raw_sql(text)).await.expect("a session");
    }
    (connection, folder)
}

/// The single statements of a file; those of a procedure with parameters in place of its arguments.
fn statements(text: &str) -> Vec<String> {
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("--"))
        .fold(String::new(), |all, line| all + line + "\n");
    let body = match text.split_once(" begin\n") {
        Some((_, body)) => body.trim_end().trim_end_matches("end;").to_owned(),
        None => text,
    };
    let parts = body.split("new.").enumerate().map(|(index, part)| match index {
        0 => part.to_owned(),
        _ => format!("$1{}", part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')),
    });
    let body: String = parts.collect();
    body.split(";\n").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// How SQLite would go about a statement, a line for each loop.
async fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explained = AssertSqlSafe(format!("explain query plan {statement}"));
    let rows: Vec<SqliteRow> = connection.fetch_all(explained).await.unwrap_or_else(|error| {
        panic!("{error}: {statement}");
    });
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

/// Whether a line of a plan reads a growing table from its beginning to its end.
fn reads_all(line: &str) -> bool {
    let name = line.strip_prefix("SCAN ").and_then(|rest| rest.split_whitespace().next());
    name.is_some_and(|name| GROWING.contains(&name))
}

#[tokio::test]
async fn every_statement_suits_the_schema() {
    let (mut connection, _folder) = session().await;
    for (name, text) in ALL {
        for statement in statements(text) {
            let is_setting_up = statement.starts_with("create") || statement.starts_with("insert into moves");
            if !is_setting_up && !WITHOUT_PLAN.iter().any(|word| statement.starts_with(word)) {
                let lines = plan(&mut connection, &statement).await;
                assert!(!lines.iter().any(|line| line.contains("AUTOMATIC")), "{name}: {lines:#?}");
            }
        }
    }
}

#[tokio::test]
async fn no_statement_reads_a_growing_table_in_full() {
    let (mut connection, _folder) = session().await;
    for (name, text) in ALL {
        // A list of tasks in any state goes by id until its page is full.
        let statements = statements(text).into_iter().filter(|_| *name != "tasks/list");
        for statement in statements.filter(|statement| !statement.starts_with("create")) {
            if WITHOUT_PLAN.iter().any(|word| statement.starts_with(word)) {
                continue;
            }
            let lines = plan(&mut connection, &statement).await;
            assert!(!lines.iter().any(|line| reads_all(line)), "{name}: {lines:#?}\n{statement}");
        }
    }
}

#[tokio::test]
async fn a_claim_stops_at_its_capacity() {
    let (mut connection, _folder) = session().await;
    let choice = statements(CLAIM_STEPS).into_iter().find(|statement| statement.contains("indexed by"));
    let lines = plan(&mut connection, &choice.expect("the choice of steps")).await;
    let expected = [
        "SCAN l",
        "SEARCH s USING INDEX steps_ready (lane_id=? AND ready_at>? AND ready_at<?)",
        "SEARCH t USING INTEGER PRIMARY KEY (rowid=?)",
    ];
    assert_eq!(lines, expected, "nothing is sorted, so the first rows found are the ones taken");
}

#[tokio::test]
async fn a_list_of_tasks_is_read_in_its_order() {
    let (mut connection, _folder) = session().await;
    let list = statements(super::LIST_TASKS).remove(0);
    let lines = plan(&mut connection, &list).await;
    let scans: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| line.contains(" t USING")).collect();
    assert_eq!(
        scans,
        [
            "SCAN t USING INDEX sqlite_autoindex_tasks_1",
            "SCAN t USING INDEX sqlite_autoindex_tasks_1",
            "SCAN t USING INDEX tasks_open",
            "SCAN t USING INDEX tasks_open",
            "SEARCH t USING INDEX tasks_unwell (state=?)",
            "SEARCH t USING INDEX tasks_unwell (state=?)",
        ]
    );
    let sorts = lines.iter().filter(|line| line.contains("TEMP B-TREE FOR ORDER BY")).count();
    assert_eq!(sorts, 1, "only the page itself is sorted: {lines:#?}");
}

/// The lines of a plan that tell how growing tables are read.
async fn reads_of(statement: &str) -> Vec<String> {
    let (mut connection, _folder) = session().await;
    let mut lines = plan(&mut connection, &statements(statement).remove(0)).await;
    lines.retain(|line| GROWING.iter().any(|table| line.contains(&format!(" {table} "))));
    lines
}

#[tokio::test]
async fn a_backlog_is_counted_in_its_index_alone() {
    let claimable = "SEARCH s USING COVERING INDEX steps_ready (lane_id=? AND ready_at>? AND ready_at<?)";
    let expected = ["SEARCH s USING INDEX steps_leased (lease_until>?)", claimable, claimable];
    assert_eq!(reads_of(super::LIST_LANES).await, expected, "nor is any other step looked at");
}

#[tokio::test]
async fn late_tasks_are_counted_from_the_oldest_on() {
    let expected = ["SEARCH t USING INDEX tasks_open (id<?)"];
    assert_eq!(reads_of(super::COUNT_LATE_TASKS).await, expected, "and nothing is sorted before the limit");
}

#[tokio::test]
async fn tasks_are_counted_in_the_order_of_indexes() {
    let expected = [
        "SEARCH t USING INDEX tasks_open (id>?)",
        "SEARCH t USING INDEX tasks_ended (ended_at>?)",
        "SEARCH t USING COVERING INDEX tasks_unwell (state=?)",
    ];
    assert_eq!(reads_of(super::COUNT_TASKS).await, expected, "and nothing is sorted before the limit");
}
