//! Which URLs name which database, and what is said of the others.

use super::*;

async fn open(url: &str) -> Result<Arc<dyn Store>, OpenError> {
    open_store(&DatabaseSettings { url: url.to_owned(), ..DatabaseSettings::default() }).await
}

async fn complaint(url: &str) -> String {
    let Err(error) = open(url).await else { panic!("{url} is opened") };
    assert!(matches!(error, OpenError::Url { .. }));
    error.to_string()
}

#[test]
fn a_file_is_named_with_or_without_a_scheme() {
    for (url, path) in [
        ("sqlite:.tasker/tasker.db", ".tasker/tasker.db"),
        ("sqlite://relative/file", "relative/file"),
        ("sqlite:///absolute/file", "/absolute/file"),
        ("sqlite:/absolute/file", "/absolute/file"),
        ("here.db", "here.db"),
        ("/var/lib/tasker.sqlite", "/var/lib/tasker.sqlite"),
    ] {
        assert_eq!(place(url).expect("a place"), Place::Sqlite(path), "{url}");
    }
}

#[test]
fn both_schemes_of_postgres_are_known() {
    for url in ["postgres://u:p@h/d", "postgresql://h"] {
        assert_eq!(place(url).expect("a place"), Place::Postgres(url));
    }
}

#[tokio::test]
async fn a_url_that_names_no_database_is_refused_with_what_to_write() {
    insta::assert_snapshot!(complaint("").await, @r#""" names no database: write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:"#);
    insta::assert_snapshot!(complaint("mysql://root:hunter2@localhost/tasker").await, @r#""mysql://root:********@localhost/tasker" names no database: write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:"#);
    insta::assert_snapshot!(complaint("https://example.com/tasker.db").await, @r#""https://example.com/tasker.db" names no database: write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:"#);
    insta::assert_snapshot!(complaint("tasker").await, @r#""tasker" names no database: write sqlite:PATH, postgres://USER:PASSWORD@HOST/DATABASE or memory:"#);
    insta::assert_snapshot!(complaint("sqlite:").await, @r#""sqlite:" names no database: name the file, such as sqlite:.tasker/tasker.db"#);
    insta::assert_snapshot!(complaint("sqlite:data/").await, @r#""sqlite:data/" names no database: name the file, such as sqlite:.tasker/tasker.db"#);
    insta::assert_snapshot!(complaint("sqlite::memory:").await, @r#""sqlite::memory:" names no database: write memory: for a database that forgets everything at its end"#);
    insta::assert_snapshot!(complaint("sqlite:a.db?mode=rwc").await, @r#""sqlite:a.db?mode=rwc" names no database: leave out what begins with "?"; durability and connections are settings"#);
}

#[tokio::test]
async fn a_secret_that_the_driver_would_log_is_refused() {
    insta::assert_snapshot!(complaint("postgres://h/d?passwd=hunter2").await, @r#""postgres://h/d?passwd=********" names no database: the only parameter that is secret is password; write password=…"#);
    assert!(check_url("postgres://h/d?password=hunter2&user=u").is_ok());
}

#[test]
fn a_file_that_is_not_there_yet_is_known_before_it_is_made() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("tasker.db");
    let settings = |url: String| DatabaseSettings { url, ..DatabaseSettings::default() };
    let of_file = settings(format!("sqlite:{}", file.display()));
    assert_eq!(of_file.missing_file(), Some(file.as_path()));
    std::fs::write(&file, "").expect("writable");
    assert_eq!(of_file.missing_file(), None);
    assert_eq!(settings("memory:".to_owned()).missing_file(), None);
    assert_eq!(settings("postgres://h/d".to_owned()).missing_file(), None);
}

#[tokio::test]
async fn a_store_in_memory_is_opened() {
    let store = open("memory:").await.expect("opened");
    assert!(store.template_keys().await.expect("answered").is_empty());
}

#[tokio::test]
async fn a_file_is_made_with_its_directory_and_answers_no_more_once_it_is_closed() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("deep/er/tasker.db");
    let url = format!("sqlite:{}", file.display());
    let settings = DatabaseSettings { url, ..DatabaseSettings::default() };
    let database = Database::open(&settings).await.expect("opened");
    let store = database.store();
    assert!(store.template_keys().await.expect("answered").is_empty());
    database.close().await.expect("closed");
    assert!(matches!(store.template_keys().await, Err(StoreError::Closed)));
    assert!(file.exists());
}

#[tokio::test]
async fn a_database_that_was_made_is_opened_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}", directory.path().join("tasker.db").display());
    open(&url).await.expect("opened");
    open(&url).await.expect("opened again");
}

#[test]
fn traces_tell_where_a_database_is_and_no_secrets() {
    let place = |url: &str| {
        let place = DatabaseSettings { url: url.to_owned(), ..DatabaseSettings::default() }.place();
        format!("{place:?}")
    };
    let server = place("postgres://ann:hunter2@db.example/shop");
    assert!(
        server.contains(r#""postgresql", namespace: Some("shop"), address: Some("db.example")"#),
        "{server}"
    );
    assert!(!server.contains("hunter2") && !server.contains("ann"), "{server}");
    assert!(place("sqlite:data/work.db").contains(r#""sqlite", namespace: Some("work.db"), address: None"#));
    assert!(place("memory:").contains(r#""memory", namespace: None"#));
}
