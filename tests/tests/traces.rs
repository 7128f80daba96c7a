//! The traces of tasks that real workers run and are killed at: what a collector has of them is what the database says.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use tasker_core::{State, TaskId, TaskTemplate, Timestamp};
use tasker_engine::{Engine, EngineSettings, TaskRequest};
use tasker_otlp::testing::{Collector, ReceivedSpan};
use tasker_runtime::testing::Program;
use tasker_runtime::{DatabaseSettings, open_store};
use tasker_store::{Cause, Transition, WhenTaken};
use tasker_tests::binaries;
use tasker_tests::faults::server::PostgresServer;
use tasker_tests::traces::{Answer, Stub, Tree};

const PATIENCE: Duration = Duration::from_mins(1);
/// So far the times of a trace and of the database may lie apart.
const NEAR: Duration = Duration::from_millis(5);

#[expect(clippy::disallowed_methods, reason = "set by cargo xtask test")]
fn postgres_binaries() -> Result<PathBuf> {
    let binaries = std::env::var("TASKER_TEST_POSTGRES_BIN");
    Ok(binaries.context("PostgreSQL's own programs are needed: run `cargo xtask test`")?.into())
}

/// A database of their own for two workers, and what they talk to.
struct Scene {
    server: PostgresServer,
    engine: Engine,
    collector: Collector,
    stub: Stub,
    workers: BTreeMap<&'static str, Program>,
}

impl Scene {
    /// Two workers, alpha and beta, that send so much of what they do to the collector.
    async fn begin(ratio: &str, answers: &[(&str, &[Answer])]) -> Result<Self> {
        let server = PostgresServer::start(&postgres_binaries()?)?;
        let database = DatabaseSettings { url: server.url(), ..DatabaseSettings::default() };
        let engine = Engine::new(open_store(&database).await?, EngineSettings::default());
        let (collector, stub) = (Collector::start().await, Stub::start(answers).await?);
        let mut scene = Self { server, engine, collector, stub, workers: BTreeMap::new() };
        for name in ["alpha", "beta"] {
            let worker = scene.worker(name, ratio)?;
            scene.workers.insert(name, worker);
        }
        Ok(scene)
    }

    fn worker(&self, name: &str, ratio: &str) -> Result<Program> {
        let program = binaries::folder(&["tasker-worker"])?.join("tasker-worker");
        let settings = [
            format!("worker.name={name}"),
            "worker.lease_seconds=2".to_owned(),
            "agents.rescue_interval_seconds=1".to_owned(),
            "traces.enabled=true".to_owned(),
            format!("traces.endpoint={}", self.collector.endpoint()),
            format!("traces.ratio={ratio}"),
        ];
        let url = self.server.url();
        let mut words = vec!["--database", url.as_str()];
        words.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
        let mut worker = Program::start(&program.display().to_string(), &std::env::temp_dir(), &words);
        let ready = worker.line();
        ensure!(ready.contains(" ready: "), "{ready}");
        Ok(worker)
    }

    /// Submits a task whose steps call the stub at `/` and their own name.
    async fn submit(&self, steps: &[(&str, &[&str])]) -> Result<TaskId> {
        let steps: Vec<_> = steps.iter().map(|(name, parents)| self.step(name, parents)).collect();
        let definition = json!({ "name": "calls", "namespace_name": "traces", "step_templates": steps });
        let template = TaskTemplate::from_definition(&definition).map_err(|error| anyhow!("{error}"))?;
        let key = template.key();
        self.engine.register(Arc::new(template), WhenTaken::Replace).await?;
        Ok(self.engine.submit(TaskRequest::new(key.into(), json!({}))).await?.id())
    }

    fn step(&self, name: &str, parents: &[&str]) -> Value {
        json!({
            "name": name,
            "handler_class": "http",
            "handler_config": { "url": self.stub.url(&format!("/{name}")) },
            "depends_on_steps": parents,
            "retry": { "limit": 3, "backoff_seconds": [0], "max_backoff_seconds": 1, "multiplier": 0.1, "jitter": false },
        })
    }

    /// Kills the worker that made the only attempt at a step so far, as `kill -9` does.
    async fn kill_who_holds(&mut self, task: TaskId, ordinal: u32) -> Result<()> {
        let history = self.engine.history(task).await?;
        let claims = history.iter().filter(|moved| moved.cause == Cause::Claimed);
        let mut of_step = claims.filter(|claim| claim.step == Some(task.step(ordinal)));
        let holder = of_step.next().and_then(|claim| claim.by.clone()).context("it was claimed")?;
        let crew = self.engine.store().workers(Timestamp::default()).await?;
        let worker = crew.into_iter().find(|worker| worker.id.to_string() == holder);
        let name = worker.context("a worker holds it")?.name;
        let program = self.workers.remove(name.as_str()).context("it is one of ours")?;
        program.signal("KILL");
        ensure!(program.wait().code.is_none(), "{name} ended by itself");
        Ok(())
    }

    /// The state the task came to, all spans that are left of it when its workers have stopped, and its history.
    async fn end(mut self, task: TaskId) -> Result<(State, Vec<ReceivedSpan>, Vec<Transition>, Stub)> {
        let state = tokio::time::timeout(PATIENCE, self.engine.wait(task)).await??;
        for (name, worker) in self.workers {
            worker.signal("TERM");
            let ended = worker.wait();
            ensure!(ended.code == Some(0), "{name} ended badly: {}", ended.errors);
        }
        let history = self.engine.history(task).await?;
        Ok((state, self.collector.spans().to_vec(), history, self.stub))
    }
}

fn trace_of(task: TaskId) -> String {
    task.to_string().replace('-', "")
}

/// Which steps were tried how often, and how that ended.
fn outcomes(tree: &Tree<'_>, step: &str) -> Vec<String> {
    let attempts = tree.attempts(step).into_iter();
    let told = attempts.map(|span| {
        format!("{} {}", span.attribute("tasker.attempt.number"), span.attribute("tasker.outcome"))
    });
    told.collect()
}

/// The attempts link back as they followed one another, and the last step links to those that it needed.
fn links_are_right(tree: &Tree<'_>, last: &str, needed: &[&str]) -> Result<()> {
    let mut finals = Vec::new();
    for step in needed.iter().chain([&last]) {
        let attempts = tree.attempts(step);
        for pair in attempts.windows(2) {
            ensure!(pair[1].linked("retry_of") == [&pair[0].id], "{step}: {:?}", pair[1].links);
        }
        ensure!(attempts[0].linked("retry_of").is_empty(), "{step}: the first attempt repeats nothing");
        finals.extend(attempts.last().map(|span| span.id.as_str()));
    }
    let steps = tree.named(&format!("tasker.step {last}"));
    let mut linked = steps.first().context("it has a span")?.linked("depends_on");
    linked.sort_unstable();
    finals.pop();
    finals.sort_unstable();
    ensure!(linked == finals, "{last} links to {linked:?} and not to {finals:?}");
    Ok(())
}

fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one.since(other).max(other.since(one)) <= NEAR
}

/// The task and every attempt begin and end when the database says that they did.
fn times_are_those_of_the_database(tree: &Tree<'_>, task: TaskId, history: &[Transition]) -> Result<()> {
    let (first, last) = history.first().zip(history.last()).context("there is a history")?;
    let whole = tree.named("tasker.task")[0];
    ensure!(is_near(whole.start, first.at) && is_near(whole.end, last.at), "the task: {whole:?}");
    let claims = history.iter().filter(|moved| moved.cause == Cause::Claimed);
    let mut compared = 0;
    for claim in claims {
        let of_attempt = |moved: &&Transition| {
            moved.step == claim.step && moved.attempt == claim.attempt && moved.seq > claim.seq
        };
        let settled = history.iter().find(of_attempt).context("a claim is settled")?;
        let (step, number) = (claim.step.context("a step")?.to_string(), claim.attempt.unwrap_or(0));
        let mut spans = tree.named("tasker.attempt").into_iter();
        let span = spans.find(|span| {
            span.attribute("tasker.step.id") == step
                && span.attribute("tasker.attempt.number") == number.to_string()
        });
        let span = span.with_context(|| format!("{task}: attempt {number} of {step} has no span"))?;
        ensure!(
            is_near(span.start, claim.at) && is_near(span.end, settled.at),
            "{span:?}: {claim:?} {settled:?}"
        );
        compared += 1;
    }
    ensure!(compared == tree.named("tasker.attempt").len(), "{compared} attempts were made");
    Ok(())
}

/// Calls to the database are told as parts of the attempts they were made for.
fn database_calls_are_told(tree: &Tree<'_>) -> Result<()> {
    for name in ["inputs steps", "settle steps"] {
        let calls = tree.named(name);
        ensure!(!calls.is_empty(), "no {name}");
        for call in calls {
            let around = call.parent.as_deref().context("a call is part of an attempt")?;
            let attempts = tree.named("tasker.attempt");
            ensure!(attempts.iter().any(|attempt| attempt.id == around), "{call:?} is part of no attempt");
            ensure!(call.attribute("db.system.name") == "postgresql", "{call:?}");
        }
    }
    Ok(())
}

/// What handlers did lies within their attempts.
fn live_spans_lie_within(tree: &Tree<'_>, spans: &[ReceivedSpan]) -> Result<()> {
    let by_id: BTreeMap<&str, &ReceivedSpan> = spans.iter().map(|span| (span.id.as_str(), span)).collect();
    for span in tree.named("tasker.work").into_iter().chain(tree.named("GET")) {
        let around = by_id[span.parent.as_deref().context("a live span is part of another")?];
        let begins = span.start >= around.start || is_near(span.start, around.start);
        let ends = span.end <= around.end || is_near(span.end, around.end);
        ensure!(begins && ends, "{span:?} does not lie within {around:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_worker_is_killed_leaves_one_connected_trace() -> Result<()> {
    let answers: [(&str, &[Answer]); 2] = [("/one", &[Answer::Never]), ("/two", &[Answer::Status(500)])];
    let mut scene = Scene::begin("1", &answers).await?;
    let task = scene.submit(&[("one", &[]), ("two", &[]), ("three", &["one", "two"])]).await?;
    scene.stub.until_called("/one", 1).await?;
    // What a killed process has not sent yet is lost; of step two all is there before.
    let calls = |spans: &[ReceivedSpan]| spans.iter().filter(|span| span.name == "tasker.work").count();
    scene.collector.until(|spans| calls(spans) == 2).await;
    scene.kill_who_holds(task, 0).await?;
    let (state, spans, history, mut stub) = scene.end(task).await?;
    ensure!(state == State::Complete, "it ended {state}");

    let tree = Tree::of(&trace_of(task), &spans)?;
    let path = ["tasker.task traces.calls@0.1.0", "tasker.orchestrate", "tasker.step", "tasker.attempt"];
    let deepest = tree.deepest()?;
    ensure!(
        deepest.len() == 7 && deepest.iter().zip(path).all(|(name, start)| name.starts_with(start)),
        "{deepest:?}"
    );
    ensure!(deepest[4..] == ["tasker.handler http", "tasker.work", "GET"], "{deepest:?}");
    ensure!(outcomes(&tree, "one") == ["1 lost", "2 completed"], "{:?}", outcomes(&tree, "one"));
    ensure!(outcomes(&tree, "two") == ["1 error", "2 completed"], "{:?}", outcomes(&tree, "two"));
    ensure!(outcomes(&tree, "three") == ["1 completed"], "{:?}", outcomes(&tree, "three"));
    links_are_right(&tree, "three", &["one", "two"])?;
    times_are_those_of_the_database(&tree, task, &history)?;
    live_spans_lie_within(&tree, &spans)?;
    database_calls_are_told(&tree)?;

    stub.until_called("/three", 1).await?;
    let sent: Vec<_> = tree.named("GET").into_iter().map(|span| span.id.as_str()).collect();
    ensure!(stub.seen.len() == 5 && sent.len() == 4, "{:?}", stub.seen);
    for call in &stub.seen {
        let parts: Vec<_> = call.traceparent.split('-').collect();
        ensure!(parts.len() == 4 && parts[1] == trace_of(task) && parts[3] == "01", "{call:?}");
    }
    let known = stub.seen.iter().filter(|call| sent.iter().any(|id| call.traceparent.contains(id))).count();
    ensure!(known == 4, "the call of the killed worker is the only one without a span: {:?}", stub.seen);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_is_written_without_what_its_handlers_did_where_nothing_is_sampled() -> Result<()> {
    let answers: [(&str, &[Answer]); 1] = [("/two", &[Answer::Status(404)])];
    let scene = Scene::begin("0", &answers).await?;
    let well = scene.submit(&[("one", &[])]).await?;
    tokio::time::timeout(PATIENCE, scene.engine.wait(well)).await??;
    let task = scene.submit(&[("one", &[]), ("two", &["one"])]).await?;
    let (state, spans, history, mut stub) = scene.end(task).await?;
    ensure!(state == State::Error, "it ended {state}");

    // The trace of the task that went well is not there: all spans are of this one.
    let tree = Tree::of(&trace_of(task), &spans)?;
    let mut names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    let (attempt, handler) = ("tasker.attempt", "tasker.handler http");
    let of_steps = [attempt, attempt, handler, handler, "tasker.orchestrate", "tasker.queue", "tasker.queue"];
    let named = ["tasker.step one", "tasker.step two", "tasker.task traces.calls@0.1.0"];
    ensure!(names == [of_steps.as_slice(), &named].concat(), "{names:?}");
    ensure!(outcomes(&tree, "two") == ["1 error"], "{:?}", outcomes(&tree, "two"));
    let failed = tree.attempts("two")[0];
    ensure!(failed.error.is_some() && failed.attribute("error.type") == "HTTP_404", "{failed:?}");
    ensure!(tree.named("tasker.task")[0].error.is_some(), "the task failed");
    times_are_those_of_the_database(&tree, task, &history)?;
    stub.until_called("/two", 1).await?;
    ensure!(stub.seen.iter().all(|call| call.traceparent.ends_with("-00")), "{:?}", stub.seen);
    Ok(())
}
