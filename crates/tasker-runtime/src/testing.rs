//! Programs run as a user runs them, for tests: started, read, asked over HTTP, sent signals, waited for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::settings::VARIABLE_PREFIX;

/// Longer than anything takes; a test that waits so long has failed.
pub const LONG: Duration = Duration::from_mins(1);

/// A program that runs; it is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    output: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What was left of its standard output.
    pub output: String,
    /// Its standard error.
    pub errors: String,
}

impl Program {
    /// Starts a program in a directory, without any setting from the environment.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(program: &str, directory: &Path, arguments: &[&str]) -> Self {
        Self::start_with(program, directory, arguments, &[])
    }

    /// As [`Program::start`], with environment variables.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start_with(
        program: &str,
        directory: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut command = Command::new(program);
        for (name, _) in crate::environment().iter().filter(|(name, _)| name.starts_with(VARIABLE_PREFIX)) {
            command.env_remove(name);
        }
        command.current_dir(directory).args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{program} cannot be started: {error}"));
        let output = child.stdout.take().expect("invariant: it is piped");
        let mut errors = child.stderr.take().expect("invariant: it is piped");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before a failure is what there is.
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self { child, output: receiver, errors: Some(errors) }
    }

    /// The next line of its standard output.
    ///
    /// # Panics
    ///
    /// If it ends, or writes nothing for a long time.
    pub fn line(&mut self) -> String {
        match self.output.recv_timeout(LONG) {
            Ok(line) => line,
            Err(error) => panic!("no line was written ({error}): {:?}", self.stopped_at_once()),
        }
    }

    /// Waits for the line that says that it is ready; gives the address in it.
    ///
    /// # Panics
    ///
    /// If the next line is another, or names no address.
    pub fn ready(&mut self) -> SocketAddr {
        let line = self.line();
        let address =
            line.split_once("http://").map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or(rest));
        let address = address.and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("no address in {line:?}"))
    }

    /// Sends a signal, such as `TERM`.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status();
        assert!(status.expect("`kill` can be run").success(), "SIG{name} cannot be sent");
    }

    /// Waits until it ends.
    ///
    /// # Panics
    ///
    /// If that takes a long time.
    pub fn wait(mut self) -> Ended {
        let mut output = String::new();
        loop {
            match self.output.recv_timeout(LONG) {
                Ok(line) => output = output + &line + "\n",
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {:?}", self.stopped_at_once()),
            }
        }
        let code = self.child.wait().ok().and_then(|status| status.code());
        Ended { code, output, errors: self.errors() }
    }

    fn stopped_at_once(&mut self) -> Ended {
        let _ = self.child.kill();
        let code = self.child.wait().ok().and_then(|status| status.code());
        Ended { code, output: String::new(), errors: self.errors() }
    }

    fn errors(&mut self) -> String {
        self.errors.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status and the body of the answer to `GET path`.
///
/// # Panics
///
/// If there is none.
pub fn get(address: SocketAddr, path: &str) -> (u16, Value) {
    let (status, body) = get_text(address, path);
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// The status and the body of an answer to GET.
///
/// # Panics
///
/// If there is none.
pub fn get_text(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("something listens");
    stream.set_read_timeout(Some(LONG)).expect("a timeout can be set");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("there is an answer");
    let status =
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("an answer has a status");
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}
