//! A server as a process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::binaries;

/// A server with a worker, which ends with this value.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    address: SocketAddr,
}

impl ServerProcess {
    /// Starts a server on a database and waits until it is ready.
    ///
    /// # Errors
    ///
    /// If it ends instead.
    pub fn start(database: &Path) -> Result<Self> {
        let mut command = Command::new(binaries::folder(&["tasker-server"])?.join("tasker-server"));
        let url = format!("sqlite:{}", database.display());
        command.args(["--worker", "--listen", "127.0.0.1:0", "--database", &url]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start tasker-server")?;
        let mut ready = String::new();
        let stdout = child.stdout.take().context("it has a standard output")?;
        BufReader::new(stdout).read_line(&mut ready)?;
        let address = ready.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address = address.with_context(|| format!("it is not ready: {ready:?}"))?.parse()?;
        Ok(Self { child, address })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
