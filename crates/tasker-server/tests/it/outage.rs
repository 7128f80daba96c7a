//! A database that comes late, goes away and comes back. Needs a PostgreSQL server: `cargo xtask services`.

use std::net::{SocketAddr, TcpListener};

use tasker_core::State;
use tasker_postgres::testing::TestDatabase;
use tasker_runtime::testing::{LONG, Program, get, get_text};
use tempfile::{TempDir, tempdir};

use crate::proxy::Proxy;
use crate::shared::{Shared, Stub};

/// A database, and a way to it that can be closed.
struct Way {
    database: TestDatabase,
    proxy: Proxy,
    url: String,
    directory: TempDir,
}

impl Way {
    /// A way that is closed.
    fn closed() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let database = runtime.block_on(TestDatabase::create());
        let (front, rest) = database.url().split_once('@').expect("user and host");
        let (host, name) = rest.split_once('/').expect("host and name");
        let proxy = Proxy::to(host.parse().expect("an address"));
        let url = format!("{front}@{}/{name}", proxy.address());
        Self { database, proxy, url, directory: tempdir().expect("a directory") }
    }

    /// Waits until a server has asked for the database in vain.
    fn asked(&self) {
        let listener = TcpListener::bind(self.proxy.address()).expect("the port is still free");
        listener.accept().expect("someone comes");
    }

    fn server(&self) -> Program {
        let arguments = ["--worker", "--listen", "127.0.0.1:0", "--database", &self.url];
        Program::start(env!("CARGO_BIN_EXE_tasker-server"), self.directory.path(), &arguments)
    }
}

/// Asks until the server is, or is not, ready; gives how long the last answer took, and what it was.
fn ask_until(address: SocketAddr, status: u16) -> (std::time::Duration, String) {
    let start = std::time::Instant::now();
    loop {
        let asked = std::time::Instant::now();
        let (found, body) = get(address, "/health/ready");
        if found == status {
            return (asked.elapsed(), body.to_string());
        }
        assert!(start.elapsed() < LONG, "{body}");
    }
}

/// Whether a scraper is told that the database answers, and what the worker does.
fn what_is_scraped(address: SocketAddr) -> (bool, bool) {
    let (status, text) = get_text(address, "/metrics");
    assert_eq!(status, 200);
    let has = |line: &str| text.lines().any(|found| found == line);
    assert_ne!(has("tasker_store_up 1"), has("tasker_store_up 0"), "{text}");
    (has("tasker_store_up 1"), has("tasker_worker_slots{state=\"busy\"} 0"))
}

#[test]
fn a_server_waits_for_a_database_that_comes_late() {
    let mut way = Way::closed();
    let mut server = way.server();
    way.proxy.open();
    let address = server.ready();
    assert_eq!(get(address, "/health/ready").0, 200);
    server.signal("TERM");
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_server_that_waits_for_its_database_stops_when_it_is_told_to() {
    let way = Way::closed();
    let server = way.server();
    way.asked();
    server.signal("TERM");
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_server_outlives_its_database_and_goes_on_when_it_is_back() {
    let mut way = Way::closed();
    way.proxy.open();
    let mut server = way.server();
    let address = server.ready();
    way.proxy.close();
    let (_, body) = ask_until(address, 503);
    assert!(body.contains("the database is not available") || body.contains("no answer"), "{body}");
    let (time, _) = ask_until(address, 503);
    assert!(time.as_millis() < 1_000, "known to be down, and told only after {time:?}");
    assert_eq!(get(address, "/health/live").0, 200);
    assert_eq!(what_is_scraped(address), (false, true));
    way.proxy.open();
    ask_until(address, 200);
    assert_eq!(what_is_scraped(address), (true, true));
    let (shared, stub) = (Shared::at(way.database.url().to_owned()), Stub::new());
    let task = shared.submit(&stub);
    stub.asked().answer();
    assert_eq!(shared.wait(task), State::Complete);
    server.signal("TERM");
    assert_eq!(server.wait().code, Some(0));
}
