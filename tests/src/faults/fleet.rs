//! Real processes that are started, killed, frozen and started again.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

/// Processes of one kind. All of them are killed when the fleet is dropped.
#[derive(Debug)]
pub struct Fleet {
    program: PathBuf,
    arguments: Vec<String>,
    crew: Vec<Child>,
    /// How many were killed.
    pub killed: u32,
}

impl Fleet {
    /// Starts `count` processes.
    ///
    /// # Errors
    ///
    /// If the program cannot be started.
    pub fn start(program: PathBuf, arguments: Vec<String>, count: usize) -> Result<Self> {
        let mut fleet = Self { program, arguments, crew: Vec::new(), killed: 0 };
        for _ in 0..count {
            let process = fleet.launch()?;
            fleet.crew.push(process);
        }
        Ok(fleet)
    }

    fn launch(&self) -> Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))
    }

    /// Kills one process as `kill -9` does, and starts another in its place.
    ///
    /// # Errors
    ///
    /// If the program cannot be started again.
    pub fn kill_and_replace(&mut self, index: usize) -> Result<()> {
        let process = &mut self.crew[index];
        process.kill()?;
        process.wait()?;
        self.killed += 1;
        self.crew[index] = self.launch()?;
        Ok(())
    }

    /// Sends a signal, such as `STOP`, `CONT` or `TERM`.
    ///
    /// # Errors
    ///
    /// If the process is gone.
    pub fn signal(&self, index: usize, signal: &str) -> Result<()> {
        let id = self.crew[index].id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &id]).status()?;
        anyhow::ensure!(status.success(), "process {id} is gone");
        Ok(())
    }

    /// Waits until a process has ended.
    ///
    /// # Errors
    ///
    /// If it was waited for before.
    pub fn wait(&mut self, index: usize) -> Result<ExitStatus> {
        Ok(self.crew[index].wait()?)
    }

    /// Processes that ended although nobody killed them.
    pub fn deserters(&mut self) -> usize {
        self.crew.iter_mut().filter_map(|process| process.try_wait().ok().flatten()).count()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for process in &mut self.crew {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}
