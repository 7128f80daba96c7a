//! A step that waits for the test, and a store to submit to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use tasker_core::{ParseOptions, State, TaskId, TaskTemplate, TemplateRequest};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_runtime::testing::LONG;
use tasker_runtime::{Database, DatabaseSettings};
use tasker_store::WhenTaken;
use tokio::runtime::Runtime;

/// A database that servers under test use as well.
pub(crate) struct Shared {
    pub(crate) url: String,
    engine: Option<Engine>,
    runtime: Runtime,
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The store ends what it does in the background.
        let _context = self.runtime.enter();
        self.engine = None;
    }
}

impl Shared {
    /// A database file in a directory.
    pub(crate) fn file(directory: &Path) -> Self {
        Self::at(format!("sqlite:{}", directory.join("tasker.db").display()))
    }

    /// The database at a URL.
    pub(crate) fn at(url: String) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let settings = DatabaseSettings { url: url.clone(), ..DatabaseSettings::default() };
        let database = runtime.block_on(Database::open(&settings)).expect("opened");
        let engine = Engine::new(database.store(), EngineSettings::default());
        Self { url, engine: Some(engine), runtime }
    }

    fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("invariant: it is there until the end")
    }

    /// Submits a task of one step that asks `stub`.
    pub(crate) fn submit(&self, stub: &Stub) -> TaskId {
        let config = json!({ "url": format!("http://{}/", stub.address), "timeout_seconds": 60 });
        self.submit_step("http", &config)
    }

    /// Submits a task of one step whose command asks `stub` and then waits for ever.
    pub(crate) fn submit_command(&self, stub: &Stub) -> TaskId {
        let address = stub.address;
        let script = format!(
            "exec 3<>/dev/tcp/{}/{}; echo 'GET / HTTP/1.1, or so' >&3; cat <&3",
            address.ip(),
            address.port()
        );
        self.submit_step("command", &json!({ "command": ["bash", "-c", script] }))
    }

    fn submit_step(&self, handler: &str, config: &Value) -> TaskId {
        let template = json!({
            "name": "one_step",
            "version": "1.0.0",
            "step_templates": [{
                "name": "only",
                "handler_class": handler,
                "handler_config": config,
                "retry": { "backoff_seconds": [0] },
            }],
        });
        let parsed =
            TaskTemplate::parse(&template.to_string(), &ParseOptions::default()).expect("a template");
        let request: TemplateRequest = "one_step".parse().expect("a name");
        let submitted = self.runtime.block_on(async {
            self.engine().register(parsed.template.into(), WhenTaken::Replace).await?;
            self.engine().submit(TaskRequest::new(request, json!({}))).await
        });
        submitted.expect("submitted").id()
    }

    /// The state of a task.
    pub(crate) fn state(&self, id: TaskId) -> State {
        self.runtime.block_on(self.engine().task(id)).expect("answered").expect("a task").task.state
    }

    /// Waits until a task has ended.
    pub(crate) fn wait(&self, id: TaskId) -> State {
        let waiting = async { tokio::time::timeout(LONG, self.engine().wait(id)).await };
        self.runtime.block_on(waiting).expect("it ends").expect("answered")
    }
}

/// The service that a step asks: it answers when the test wants it to.
pub(crate) struct Stub {
    address: SocketAddr,
    asked: Receiver<TcpStream>,
}

/// A step that waits for its answer.
pub(crate) struct Asked(TcpStream);

impl Stub {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (sender, asked) = channel();
        std::thread::spawn(move || {
            listener.incoming().map_while(Result::ok).try_for_each(|stream| sender.send(stream))
        });
        Self { address, asked }
    }

    /// Waits until a step asks: its handler runs.
    pub(crate) fn asked(&self) -> Asked {
        let mut stream = self.asked.recv_timeout(LONG).expect("a step asks");
        let mut head = [0; 16];
        stream.read_exact(&mut head).expect("a request");
        Asked(stream)
    }
}

impl Asked {
    /// Waits until whoever asked is gone.
    pub(crate) fn abandoned(mut self) {
        let mut rest = Vec::new();
        // A connection that breaks has ended as well as one that is closed.
        let _ = self.0.read_to_end(&mut rest);
    }

    /// Answers, so that the handler ends.
    pub(crate) fn answer(mut self) {
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
        self.0.write_all(answer.as_bytes()).expect("it listens");
    }
}
