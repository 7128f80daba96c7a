//! A PostgreSQL server of one's own, to be stopped and started.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// A server in a temporary folder, which goes away with it.
#[derive(Debug)]
pub struct PostgresServer {
    binaries: PathBuf,
    folder: TempDir,
    port: u16,
    /// The account that runs it, where the present one may not.
    account: Option<Account>,
}

/// Who runs a program, by numbers.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

impl Account {
    fn unprivileged() -> Result<Self> {
        let of =
            |name: &str| Ok::<_, anyhow::Error>(Self { user: id(&["-u", name])?, group: id(&["-g", name])? });
        of("postgres").or_else(|_| of("nobody"))
    }
}

fn id(arguments: &[&str]) -> Result<u32> {
    let text = String::from_utf8(Command::new("id").args(arguments).output()?.stdout)?;
    text.trim().parse().with_context(|| format!("`id {}` did not write a number", arguments.join(" ")))
}

impl PostgresServer {
    /// Makes a cluster with the binaries in `binaries` and starts it, with every commit on disk.
    ///
    /// # Errors
    ///
    /// What `initdb` or `pg_ctl` say.
    pub fn start(binaries: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tasker-faults-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        // PostgreSQL does not run as root.
        let account = if id(&["-u"])? == 0 { Some(Account::unprivileged()?) } else { None };
        if let Some(Account { user, group }) = account {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let server = Self { binaries: binaries.to_owned(), folder, port, account };
        server.run(
            "initdb",
            &["-D", "DATA", "-U", "tasker", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"],
        )?;
        server.up()?;
        Ok(server)
    }

    /// Where to connect to.
    pub fn url(&self) -> String {
        format!("postgres://tasker@127.0.0.1:{}/postgres", self.port)
    }

    /// Starts the server and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// What `pg_ctl` says.
    pub fn up(&self) -> Result<()> {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100",
            self.port
        );
        self.run("pg_ctl", &["start", "-w", "-D", "DATA", "-l", "LOG", "-o", &options])
    }

    /// Stops the server at once, as a power failure would.
    ///
    /// # Errors
    ///
    /// What `pg_ctl` says.
    pub fn down(&self) -> Result<()> {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-w", "-D", "DATA"])
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let program = self.binaries.join(program);
        let mut command = Command::new(&program);
        if let Some(Account { user, group }) = self.account {
            command.uid(user).gid(group).current_dir(self.folder.path());
        }
        for argument in arguments {
            match *argument {
                "DATA" => command.arg(self.folder.path().join("data")),
                "LOG" => command.arg(self.folder.path().join("log")),
                other => command.arg(other),
            };
        }
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status();
        let status = status.with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(status.success(), "{} {} failed", program.display(), arguments[0]);
        Ok(())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // It may be down already.
        let _ = self.down();
    }
}
