//! The README and the guides are true: every command they show is run, and prints what they say.
//! `UPDATE=1` writes into them what the commands really print.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tasker_otlp::testing::Collector;
use tasker_tests::binaries;
use tasker_tests::docs::{copy_folder, follow, renew};
use tasker_tests::prometheus::tool;

fn check(page: &str) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let text = fs::read_to_string(root.join(page)).with_context(|| format!("cannot read {page}"))?;
    let folder = tempfile::tempdir()?;
    copy_folder(&root.join("docs/examples"), &folder.path().join("docs/examples"))?;
    let binaries = binaries::folder(&["tasker", "tasker-server", "tasker-worker", "shop-stub"])?;
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
    if std::env::var("UPDATE").is_ok() {
        let renewed = renew(&text, folder.path(), &binaries).with_context(|| page.to_owned())?;
        return Ok(fs::write(root.join(page), renewed)?);
    }
    let passages = follow(&text, folder.path(), &binaries).with_context(|| page.to_owned())?;
    ensure!(passages > 0, "{page} shows no command");
    Ok(())
}

#[test]
fn the_readme_is_true() -> Result<()> {
    check("README.md")
}

/// The Rust in the README is that of an example, which is compiled and run.
#[test]
fn the_rust_of_the_readme_is_that_of_an_example() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let lines = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n");
    let readme = fs::read_to_string(root.join("README.md"))?;
    let (_, rest) = readme.split_once("```rust\n").context("Rust in the README")?;
    let (shown, _) = rest.split_once("\n```").context("the end of the block")?;
    let example = fs::read_to_string(root.join("docs/examples/loan-desk/src/handlers.rs"))?;
    ensure!(lines(&example).contains(&lines(shown)), "not in the example:\n{shown}");
    Ok(())
}

#[test]
fn the_guide_to_the_first_workflow_is_true() -> Result<()> {
    check("docs/guides/first-workflow.md")
}

#[test]
fn the_guide_to_templates_is_true() -> Result<()> {
    check("docs/guides/templates.md")
}

#[test]
fn the_guide_to_handlers_is_true() -> Result<()> {
    check("docs/guides/handlers.md")
}

#[test]
fn the_guide_to_events_is_true() -> Result<()> {
    check("docs/guides/events.md")
}

#[test]
fn the_guide_to_operations_is_true() -> Result<()> {
    check("docs/guides/operations.md")
}

/// Ends what a page starts and leaves running, also where the page is not followed to its end.
struct Processes<'a>(&'a Path);

impl Drop for Processes<'_> {
    fn drop(&mut self) {
        let script = "for file in *.pid; do kill -KILL \"$(cat \"$file\")\"; done";
        // One that has ended already cannot be killed.
        let _ = Command::new("sh").args(["-c", script]).current_dir(self.0).output();
    }
}

/// The page's ports are those of its reader's machine; here others are taken, which are free. And nobody waits for
/// Prometheus to look once in fifteen seconds.
#[test]
fn the_guide_to_monitoring_is_true() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let folder = tempfile::tempdir()?;
    copy_folder(&root.join("deploy"), &folder.path().join("deploy"))?;
    let mut page = fs::read_to_string(root.join("docs/guides/monitoring.md"))?;
    let targets = folder.path().join("deploy/prometheus/targets.yml");
    let mut addresses = fs::read_to_string(&targets)?;
    for port in ["8484", "9090"] {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        for text in [&mut page, &mut addresses] {
            *text = text.replace(&format!("127.0.0.1:{port}"), &free);
        }
    }
    fs::write(&targets, addresses)?;
    let settings = folder.path().join("deploy/prometheus/prometheus.yml");
    fs::write(&settings, fs::read_to_string(&settings)?.replace(": 15s", ": 1s"))?;
    let mut programs = vec![binaries::folder(&["tasker", "tasker-server"])?];
    for variable in ["TASKER_TEST_PROMETHEUS", "TASKER_TEST_PROMTOOL"] {
        programs.push(tool(variable)?.parent().context("a program has a folder")?.to_owned());
    }
    let programs = std::env::join_paths(programs)?;
    let _processes = Processes(folder.path());
    follow(&page, folder.path(), Path::new(&programs)).map(drop)
}

#[test]
fn the_guide_to_logging_is_true() -> Result<()> {
    check("docs/guides/logging.md")
}

/// The collector of the page is one of the test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_to_tracing_is_true() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let folder = tempfile::tempdir()?;
    let mut collector = Collector::start().await;
    let place = root.join("docs/guides/tracing.md");
    let page = fs::read_to_string(&place)?;
    let there = page.replace("http://127.0.0.1:4317", &collector.endpoint());
    let binaries = binaries::folder(&["tasker"])?;
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the test")]
    if std::env::var("UPDATE").is_ok() {
        let renewed = renew(&there, folder.path(), &binaries)?;
        return Ok(fs::write(place, renewed.replace(&collector.endpoint(), "http://127.0.0.1:4317"))?);
    }
    follow(&there, folder.path(), &binaries)?;
    let wholes = collector.spans().iter().filter(|span| span.name.starts_with("tasker.task")).count();
    ensure!(wholes == 3, "two runs and an export are {wholes} traces");
    Ok(())
}

#[test]
fn the_walk_leads_to_what_it_names() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is above")?;
    let walk = fs::read_to_string(root.join("docs/walk.md"))?;
    let mut rooms = 0;
    for stop in walk.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_digit())) {
        let path = stop
            .split("](../")
            .nth(1)
            .and_then(|rest| rest.split(')').next())
            .context("a stop has a link")?;
        let text =
            fs::read_to_string(root.join(path)).with_context(|| format!("the walk leads to {path}"))?;
        for name in stop.split('`').skip(1).step_by(2) {
            ensure!(text.contains(name), "{path} does not have `{name}`");
        }
        rooms += 1;
    }
    ensure!(rooms == 8, "the walk has {rooms} rooms");
    Ok(())
}
