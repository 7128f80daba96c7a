//! A PgBouncer of the test's own, which pools transactions.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tasker_postgres::testing::SERVER_URL;
use tempfile::TempDir;

/// A proxy before the test server. It ends when this is dropped.
pub(crate) struct Pooler {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    /// Starts one with so few connections to the server that clients have to share them.
    #[expect(clippy::disallowed_methods, reason = "a test finds its servers through the environment")]
    pub(crate) fn start(connections: u32) -> Self {
        let server = std::env::var(SERVER_URL).expect("cargo xtask test names the server");
        let program = std::env::var("TASKER_TEST_PGBOUNCER").expect("cargo xtask test names pgbouncer");
        let server: PgConnectOptions = server.parse().expect("a URL");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, configuration(&server, port, connections)).expect("a file");
        let process = command(&program, folder.path()).stderr(Stdio::null()).spawn().expect("it starts");
        let pooler = Self { process, port, _folder: folder };
        pooler.wait_until_it_listens();
        pooler
    }

    /// The URL that leads to a database of the test server through the proxy.
    pub(crate) fn url(&self, database: &str) -> String {
        let database: PgConnectOptions = database.parse().expect("a URL");
        let name = database.get_database().expect("a database");
        format!("postgres://{}@127.0.0.1:{}/{name}", database.get_username(), self.port)
    }

    fn wait_until_it_listens(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "pgbouncer does not listen");
            // sleep: another process begins to listen.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The settings of PgBouncer: <https://www.pgbouncer.org/config.html>
fn configuration(server: &PgConnectOptions, port: u16, connections: u32) -> String {
    let url = server.to_url_lossy();
    let password = url.password().map(|password| format!(" password={password}")).unwrap_or_default();
    format!(
        "[databases]\n\
         * = host={} port={} user={}{password}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         max_client_conn = 500\n\
         default_pool_size = {connections}\n",
        server.get_host(),
        server.get_port(),
        server.get_username(),
    )
}

/// PgBouncer does not run as root, and has to read its folder.
fn command(program: &str, folder: &Path) -> Command {
    let file = folder.join("pgbouncer.ini");
    let id = Command::new("id").arg("-u").output().expect("id is there");
    let mut command = Command::new(program);
    if id.stdout == b"0\n" {
        let opened = Command::new("chmod").args(["-R", "a+rX"]).arg(folder).status().expect("chmod is there");
        assert!(opened.success());
        command.args(["-u", "nobody"]);
    }
    command.arg("-q").arg(file);
    command
}
