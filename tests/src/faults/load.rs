//! Tasks of mixed shapes, submitted while everything around them breaks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use tasker_core::{IdentityKey, IdentityStrategy, OnDuplicate, TaskId, TaskTemplate, TemplateKey};
use tasker_engine::{Engine, EngineError, TaskRequest};
use tasker_store::WhenTaken;

/// A shape: its name, and its steps as (name, handler, parents).
type Shape = (&'static str, &'static [(&'static str, &'static str, &'static [&'static str])]);

const SHAPES: [Shape; 4] = [
    ("linear", &[("a", "noop", &[]), ("b", "work", &["a"]), ("c", "noop", &["b"]), ("d", "noop", &["c"])]),
    (
        "diamond",
        &[
            ("top", "noop", &[]),
            ("left", "work", &["top"]),
            ("right", "noop", &["top"]),
            ("end", "noop", &["left", "right"]),
        ],
    ),
    (
        "fan",
        &[
            ("split", "noop", &[]),
            ("p1", "noop", &["split"]),
            ("p2", "work", &["split"]),
            ("p3", "noop", &["split"]),
            ("p4", "noop", &["split"]),
            ("merge", "noop", &["p1", "p2", "p3", "p4"]),
        ],
    ),
    ("roots", &[("x", "noop", &[]), ("y", "work", &[]), ("z", "noop", &["x"])]),
];

/// Registers the shapes, whose work takes so many seconds. A step may lose an attempt to each of so many faults, and not
/// one more.
///
/// # Errors
///
/// If the store fails.
pub async fn register(engine: &Engine, work_seconds: f64, faults: usize) -> Result<Vec<TemplateKey>> {
    let mut keys = Vec::new();
    for (name, steps) in SHAPES {
        let template = TaskTemplate::from_definition(&definition((name, steps), work_seconds, faults + 1))
            .map_err(|error| anyhow!("{error}"))?;
        keys.push(template.key());
        engine.register(Arc::new(template), WhenTaken::Replace).await?;
    }
    Ok(keys)
}

fn definition((name, steps): Shape, work_seconds: f64, limit: usize) -> Value {
    let steps = steps.iter().map(|(step, handler, parents)| {
        let mut definition = json!({
            "name": step,
            "handler_class": handler,
            "depends_on_steps": parents,
            "retry": { "limit": limit, "backoff_seconds": [0], "max_backoff_seconds": 1, "multiplier": 0.1, "jitter": false },
        });
        if *handler == "work" {
            definition["handler_class"] = json!("command");
            definition["handler_config"] = json!({ "command": ["sleep", work_seconds.to_string()] });
        }
        definition
    });
    json!({ "name": name, "namespace_name": "faults", "version": "1.0.0", "step_templates": steps.collect::<Vec<_>>() })
}

/// Submits one task, again and again until it is acknowledged; a key makes that safe.
///
/// # Errors
///
/// If it is refused for another reason than that the store is away.
pub async fn submit(engine: &Engine, keys: &[TemplateKey], number: usize) -> Result<TaskId> {
    let key = keys[number % keys.len()].clone();
    let mut request = TaskRequest::new(key.into(), json!({ "number": number }));
    let identity = IdentityKey::try_from(format!("task-{number}")).context("a key")?;
    request.identity = Some(IdentityStrategy::Key(identity));
    request.on_duplicate = OnDuplicate::ReturnExisting;
    loop {
        match engine.submit(request.clone()).await {
            Ok(submitted) => return Ok(submitted.id()),
            Err(EngineError::Store(error)) if error.is_transient() => {
                // sleep: the database is away, and nothing tells when it is back.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
