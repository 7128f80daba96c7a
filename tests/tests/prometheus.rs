//! What a real Prometheus reads of a real server is what its database has; what is generated for it is understood.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use tasker_tests::prometheus::{
    Mixture, Scraper, ServerProcess, UNCLAIMED, get, parse_with_python, promtool,
};

const PATIENCE: Duration = Duration::from_secs(45);
/// What Prometheus says that it likes best, in short.
const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/// What is counted, by the name of a task.
type Counts = BTreeMap<String, f64>;

/// What Prometheus has to answer, and what the database has to say to it.
const EQUALITIES: [(&str, &str); 9] = [
    (
        r#"sum by (task) (tasker_tasks_total{outcome="completed"})"#,
        "select name, count(*) from ended where state = 'complete' group by name",
    ),
    (
        r#"sum by (task) (tasker_tasks_total{outcome="failed"})"#,
        "select name, count(*) from ended where state = 'error' group by name",
    ),
    ("sum by (task) (tasker_task_duration_seconds_count)", "select name, count(*) from ended group by name"),
    (
        r#"sum by (task) (tasker_step_attempts_total{outcome="begun"})"#,
        "select name, sum(attempts) from made group by name",
    ),
    (
        r#"sum by (task) (tasker_step_attempts_total{outcome="completed"})"#,
        "select name, count(*) from made where state = 'complete' group by name",
    ),
    (
        r#"sum by (task) (tasker_step_attempts_total{outcome="failed"})"#,
        "select name, sum(attempts - (state = 'complete')) as failed from made group by name having failed > 0",
    ),
    (
        r#"sum by (task) (tasker_step_attempts_total{outcome="retried"})"#,
        "select name, sum(attempts - 1) as retried from made group by name having retried > 0",
    ),
    (
        "sum by (task) (tasker_step_attempt_duration_seconds_count)",
        "select name, sum(attempts) from made group by name",
    ),
    (
        r#"sum by (task) (label_replace(tasker_worker_attempts_total{outcome="completed"}, "task", "all", "", ""))"#,
        "select 'all', count(*) from made where state = 'complete'",
    ),
];

/// Tasks that have ended and steps that were begun, with the names of their templates.
const VIEWS: &str = "
    with named as (select tasks.id, tasks.state, tasks.ended_at, templates.name from tasks
        join plans on plans.id = tasks.plan_id join templates on templates.id = plans.template_id),
    ended as (select name, state from named where ended_at is not null),
    made as (select named.name, steps.state, steps.attempts from steps join named on named.id = steps.task_id
        where steps.attempts > 0) ";

fn root() -> Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")
}

fn rules() -> Result<PathBuf> {
    Ok(root()?.join("deploy/prometheus"))
}

/// The database of a server, read beside it.
struct Database(SqlitePool);

impl Database {
    async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        Ok(Self(SqlitePool::connect_with(options).await?))
    }

    async fn counts(&self, query: &str) -> Result<Counts> {
        let query = sqlx::AssertSqlSafe(format!("{VIEWS} {query}"));
        let rows: Vec<(String, i64)> = sqlx::query_as(query).fetch_all(&self.0).await?;
        let small = |count: i64| u32::try_from(count).map(f64::from).context("a count is small");
        rows.into_iter().map(|(name, count)| Ok((name, small(count)?))).collect()
    }

    /// Waits until all tasks have ended, but for that which nobody takes.
    async fn all_ended(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let open = "select name, count(*) from named where ended_at is null group by name";
            let open = self.counts(open).await?;
            if open.keys().all(|name| name == UNCLAIMED) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "these have not ended after {PATIENCE:?}: {open:?}");
            // sleep: the tasks end in another process, which sends no signal.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Prometheus sees the newest counts with its next scrape, and then for good.
async fn counts_are_equal(prometheus: &Scraper, database: &Database) -> Result<()> {
    for (asked, query) in EQUALITIES {
        let wanted = database.counts(query).await?;
        ensure!(!wanted.is_empty(), "the database has nothing for {asked}");
        let mut seen = Counts::new();
        let look = || {
            seen = prometheus.counts_by("task", asked).ok()?;
            (seen == wanted).then_some(())
        };
        let watched = prometheus.until(asked, look);
        watched.with_context(|| format!("{asked} is {seen:?}; the database has {wanted:?}"))?;
    }
    Ok(())
}

/// As many samples as there are lines: none is dropped on its way.
fn every_line_is_a_sample(prometheus: &Scraper, server: &ServerProcess) -> Result<()> {
    // A line that came after the last scrape is there with the next.
    prometheus.until("it has as many samples as there are lines", || {
        let page = get(server.address(), "/metrics", OPENMETRICS).ok()?;
        let lines = u32::try_from(page.lines().filter(|line| !line.starts_with('#')).count()).ok()?;
        let scraped = prometheus.query("scrape_samples_scraped{job=\"tasker\"}").ok()?;
        let missing = (scraped.first()?.value - f64::from(lines)).abs();
        (missing < 0.5).then_some(())
    })?;
    let up = prometheus.query("min_over_time(up{job=\"tasker\"}[5m])")?;
    ensure!(up.len() == 1 && up[0].value > 0.5, "the server was not there all the time: {up:?}");
    Ok(())
}

/// Every panel of the dashboard shows something of a server that has worked, and its legends are filled in.
fn every_panel_answers(prometheus: &Scraper) -> Result<()> {
    let board: Value =
        serde_json::from_str(&fs::read_to_string(root()?.join("deploy/grafana/tasker.json"))?)?;
    let panels = board["panels"].as_array().context("a board has panels")?;
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    for target in targets {
        let text = |key: &str| target[key].as_str().context("a target has texts");
        let mut query = text("expr")?.to_owned();
        for (variable, value) in
            [("$namespace", ".*"), ("$task", ".*"), ("$__rate_interval", "1m"), ("$__range", "5m")]
        {
            query = query.replace(variable, value);
        }
        // A rate needs two scrapes.
        let look = || prometheus.query(&query).ok().filter(|answers| !answers.is_empty());
        let answers = prometheus.until(&format!("a panel shows what {query} answers"), look)?;
        let names = text("legendFormat")?.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
        for name in names {
            ensure!(answers[0].labels.contains_key(name), "{query} has no {name}: {:?}", answers[0]);
        }
    }
    Ok(())
}

/// Every alert and every recording was evaluated without an error.
fn every_rule_is_healthy(prometheus: &Scraper) -> Result<()> {
    let data = prometheus.api("rules")?;
    let groups = data["groups"].as_array().context("there are groups")?;
    let rules: Vec<_> =
        groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect();
    ensure!(rules.len() > 20, "there are {} rules", rules.len());
    for rule in rules {
        ensure!(rule["health"] == "ok", "{rule}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prometheus_has_scraped_of_ten_thousand_tasks_is_what_the_database_has() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tasker.db");
    let server = ServerProcess::start(&path)?;
    let prometheus = Scraper::start(server.address(), &rules()?)?;
    let database = Database::open(&path).await?;
    Mixture::on(&path).await?.submit(10_000).await?;
    database.all_ended().await?;
    counts_are_equal(&prometheus, &database).await?;
    every_line_is_a_sample(&prometheus, &server)?;
    every_panel_answers(&prometheus)?;
    every_rule_is_healthy(&prometheus)
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_and_both_parsers_of_python_accept_what_a_server_that_has_worked_tells() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tasker.db");
    let server = ServerProcess::start(&path)?;
    let database = Database::open(&path).await?;
    Mixture::on(&path).await?.submit(100).await?;
    database.all_ended().await?;
    let text = get(server.address(), "/metrics", "text/plain")?;
    let openmetrics = get(server.address(), "/metrics", OPENMETRICS)?;
    ensure!(openmetrics.ends_with("# EOF\n") && !text.contains("# EOF"), "the formats are mixed up");
    promtool(&["check", "metrics"], &text)?;
    for (format, page) in [("text", text), ("openmetrics", openmetrics)] {
        let lines = page.lines().filter(|line| !line.starts_with('#')).count();
        ensure!(parse_with_python(format, &page)? == lines && lines > 100, "{format}: {lines} lines");
    }
    Ok(())
}

#[test]
fn promtool_accepts_the_generated_rules_and_the_settings() -> Result<()> {
    let folder = rules()?;
    for (check, file) in [("rules", "alerts.yml"), ("rules", "recording.yml"), ("config", "prometheus.yml")] {
        let path = folder.join(file).display().to_string();
        let said = promtool(&["check", check, &path], "").with_context(|| file.to_owned())?;
        ensure!(said.contains("SUCCESS"), "{file}: {said}");
    }
    Ok(())
}

#[test]
fn every_alert_is_told_when_it_should_be_and_leads_to_what_to_do() -> Result<()> {
    let folder = rules()?;
    let cases = folder.join("alerts_test.yml");
    promtool(&["test", "rules", &cases.display().to_string()], "")?;
    let cases = fs::read_to_string(cases)?;
    let guide = fs::read_to_string(root()?.join("docs/guides/monitoring.md"))?;
    let alerts = fs::read_to_string(folder.join("alerts.yml"))?;
    let mut names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).peekable();
    ensure!(names.peek().is_some(), "there are no alerts");
    for name in names {
        ensure!(guide.contains(&format!("\n### {name}\n")), "the guide does not say what to do about {name}");
        let case = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels");
        ensure!(cases.contains(&case), "no case of alerts_test.yml tells {name}");
    }
    Ok(())
}
