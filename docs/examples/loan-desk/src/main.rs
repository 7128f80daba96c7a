//! A program with its own handlers: template, store, engine and worker in one process.
//!
//! Run it with `cargo run -p example-loan-desk -- APPLICANT AMOUNT MONTHLY_INCOME`.

mod handlers;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use tasker_core::{ParseOptions, State, TaskTemplate, Timestamp, WorkerId};
use tasker_engine::{AgentSettings, Agents, Engine, EngineSettings, TaskRequest};
use tasker_handler::{Registry, Runner, RunnerSettings, Surroundings};
use tasker_sqlite::{SqliteOptions, SqliteStore};
use tasker_store::{Store, WhenTaken};
use tokio_util::sync::CancellationToken;

use handlers::{Application, Decision, handlers};

#[tokio::main]
async fn main() -> Result<()> {
    let application = application(std::env::args().skip(1).collect())?;
    let folder = std::env::temp_dir().join(format!("loan-desk-{}", std::process::id()));
    let decision = decide(&folder.join("desk.db"), &application).await;
    // The desk keeps no files; a real one would name a path of its own, or a PostgreSQL URL.
    let _ = std::fs::remove_dir_all(folder);
    let decision = decision?;
    let verdict = if decision.granted { "granted" } else { "refused" };
    println!("{}: {verdict}, {}", application.applicant, decision.because);
    Ok(())
}

fn application(words: Vec<String>) -> Result<Application> {
    let usage = "give an applicant, an amount and a monthly income, such as: Ada 12000 3000";
    let [applicant, amount, income] = <[String; 3]>::try_from(words).map_err(|_| anyhow!(usage))?;
    let number = |text: String| text.parse().with_context(|| format!("{text:?} is no number; {usage}"));
    Ok(Application { applicant, amount: number(amount)?, monthly_income: number(income)? })
}

/// Runs one task to its end and reads the answer off its last step.
async fn decide(database: &std::path::Path, application: &Application) -> Result<Decision> {
    let store = SqliteStore::open(&database.display().to_string(), SqliteOptions::default()).await?;
    let store: Arc<dyn Store> = Arc::new(store);
    let engine = Engine::new(Arc::clone(&store), EngineSettings::default());
    let agents = Agents::start(&store, &AgentSettings::default());

    let parsed = TaskTemplate::parse(include_str!("../loan.yaml"), &ParseOptions::default())?;
    let template = Arc::new(parsed.template);
    engine.register(Arc::clone(&template), WhenTaken::Replace).await?;

    let mut registry = Registry::new(Surroundings::default());
    for handler in handlers() {
        registry.register(handler)?;
    }
    let shutdown = CancellationToken::new();
    let settings = RunnerSettings::new(WorkerId::new(Timestamp::default(), u128::from(std::process::id())));
    let runner = Runner::new(Arc::clone(&store), registry, settings, rand::SeedableRng::from_os_rng());
    let worker = tokio::spawn(runner.run(shutdown.clone()));

    let context = serde_json::to_value(application)?;
    let task = engine.submit(TaskRequest::new(template.key().into(), context)).await?.id();
    let state = engine.wait(task).await?;
    shutdown.cancel();
    worker.await?;
    agents.stop().await;

    ensure!(state == State::Complete, "{}", engine.explain(tasker_store::Target::Task(task)).await?.sentence);
    let view = engine.task(task).await?.context("the task was just made")?;
    let last = view.step_views().find(|step| step.name == "decide").context("the template has it")?;
    let results = last.results.context("a complete step has results")?;
    Ok(serde_json::from_value(results.clone())?)
}
