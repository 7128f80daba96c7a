//! Tasks that end well, are retried, and fail for good.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};
use tasker_core::{TaskTemplate, TemplateKey};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_runtime::{DatabaseSettings, open_store};
use tasker_store::WhenTaken;

/// So many tasks are submitted in one call.
const BATCH: usize = 250;

/// The task whose step no worker offers to make.
pub const UNCLAIMED: &str = "unclaimed";

/// Submits tasks of all kinds.
#[derive(Debug)]
pub struct Mixture {
    engine: Engine,
}

/// Kinds of tasks: their name, their share of a thousand, the handlers of their steps.
const KINDS: [(&str, usize, &[Handler]); 4] = [
    ("plain", 900, &[Handler::Done, Handler::Done]),
    ("refused", 50, &[Handler::Done, Handler::Refuses]),
    ("flaky", 40, &[Handler::DoneAtSecond, Handler::Done]),
    ("exhausted", 10, &[Handler::Fails]),
];

/// What a step does.
#[derive(Debug, Clone, Copy)]
enum Handler {
    /// It is done at once.
    Done,
    /// Its second attempt is done.
    DoneAtSecond,
    /// Every attempt fails.
    Fails,
    /// Its only attempt fails for good.
    Refuses,
    /// Nobody offers it.
    Nobody,
}

impl Handler {
    fn step(self, name: &str) -> Value {
        let (class, config) = match self {
            Self::Done => ("noop", json!({})),
            Self::DoneAtSecond => {
                ("command", json!({ "command": ["sh", "-c", "test \"$TASKER_ATTEMPT\" -ge 2"] }))
            }
            Self::Fails => ("command", json!({ "command": ["false"] })),
            Self::Refuses => ("transform", json!({ "filter": "error(\"refused\")" })),
            Self::Nobody => ("nobody", json!({})),
        };
        json!({
            "name": name, "handler_class": class, "handler_config": config,
            "retry": { "limit": 2, "backoff_seconds": [0], "max_backoff_seconds": 1, "multiplier": 0.1, "jitter": false },
        })
    }
}

fn definition(name: &str, handlers: &[Handler]) -> Value {
    let mut steps = Vec::new();
    for (number, handler) in handlers.iter().enumerate() {
        let mut step = handler.step(&format!("step_{number}"));
        if number > 0 {
            step["depends_on_steps"] = json!([format!("step_{}", number - 1)]);
        }
        steps.push(step);
    }
    json!({ "name": name, "namespace_name": "shop", "version": "1.0.0", "step_templates": steps })
}

impl Mixture {
    /// Opens the database that a server works on.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub async fn on(database: &Path) -> Result<Self> {
        let url = format!("sqlite:{}", database.display());
        let settings = DatabaseSettings { url, ..DatabaseSettings::default() };
        Ok(Self { engine: Engine::new(open_store(&settings).await?, EngineSettings::default()) })
    }

    /// Submits so many tasks that will end, mixed, and one more that nobody will take.
    ///
    /// # Errors
    ///
    /// If the store fails, or so many cannot be shared out among the kinds.
    pub async fn submit(&self, tasks: usize) -> Result<()> {
        let unclaimed = self.register(UNCLAIMED, &[Handler::Nobody]).await?;
        self.engine.submit(TaskRequest::new(unclaimed.into(), json!({}))).await?;
        let mut keys = Vec::new();
        for (name, share, handlers) in KINDS {
            let key = self.register(name, handlers).await?;
            keys.extend(std::iter::repeat_n(key, tasks * share / 1_000));
        }
        ensure!(keys.len() == tasks, "{tasks} tasks cannot be shared out");
        // All kinds run all the time: a step of 7 meets every task once, as 7 divides no power of ten.
        let mixed: Vec<_> = (0..tasks).map(|number| keys[number * 7 % tasks].clone()).collect();
        for batch in mixed.chunks(BATCH) {
            let requests = batch.iter().map(|key| TaskRequest::new(key.clone().into(), json!({})));
            self.engine.submit_all(requests.collect()).await?;
        }
        Ok(())
    }

    async fn register(&self, name: &str, handlers: &[Handler]) -> Result<TemplateKey> {
        let template = TaskTemplate::from_definition(&definition(name, handlers));
        let template = template.map_err(|error| anyhow!("{error}"))?;
        let key = template.key();
        self.engine.register(Arc::new(template), WhenTaken::Replace).await?;
        Ok(key)
    }
}
