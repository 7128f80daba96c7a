//! `tasker trace`, and the traces of `tasker run`.

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use support::Folder;
use tasker_otlp::testing::{Collector, ReceivedSpan};

/// The second step fails until the file `mended` is there; the third needs both.
const ORDER: &str = r"
name: order
step_templates:
  - {name: reserve, handler_class: noop}
  - name: charge
    handler_class: command
    handler_config: {command: 'test -e mended || exit 3', permanent_exit_codes: [3]}
  - {name: ship, depends_on_steps: [reserve, charge], handler_class: noop}
";

fn mended() -> Folder {
    let folder = Folder::with("order.yaml", ORDER);
    folder.write("mended", "");
    folder
}

/// A tree without the two columns of times.
fn timeless(text: &str) -> String {
    let times = regex::Regex::new(r"(?m) +\+\S+ m?s +\S+ m?s").expect("a pattern");
    times.replace_all(text, " ").into_owned()
}

/// The settings with which traces go to a collector.
fn traced(endpoint: &str, ratio: &str) -> [String; 3] {
    ["enabled=true".to_owned(), format!("endpoint={endpoint}"), format!("ratio={ratio}")]
        .map(|setting| format!("--set=traces.{setting}"))
}

/// Runs a command with traces.
fn run_traced(folder: &Folder, code: i32, words: &[&str], endpoint: &str, ratio: &str) -> support::Ran {
    let settings = traced(endpoint, ratio);
    let words: Vec<&str> = words.iter().copied().chain(settings.iter().map(String::as_str)).collect();
    folder.run_to(code, &words)
}

fn ids(spans: &[ReceivedSpan]) -> BTreeSet<&str> {
    spans.iter().map(|span| span.id.as_str()).collect()
}

fn named<'a>(spans: &'a [ReceivedSpan], name: &str) -> Vec<&'a ReceivedSpan> {
    spans.iter().filter(|span| span.name.starts_with(name)).collect()
}

#[test]
fn the_trace_of_a_task_is_shown_without_a_collector() {
    let folder = Folder::with("order.yaml", ORDER);
    folder.run_to(1, &["run", "order.yaml", "--quiet"]);
    let shown = folder.run_to(0, &["trace", "show", "last"]).out;
    insta::assert_snapshot!(timeless(&shown), @r"
    tasker.task default.order@0.1.0   error: failed: charge
    └─ tasker.orchestrate   error: failed: charge
       ├─ tasker.step reserve   complete
       │  ├─ tasker.queue   ready
       │  └─ tasker.attempt 1   completed
       │     └─ tasker.handler noop   completed
       └─ tasker.step charge   error: `test -e mended || exit 3` exited with 3
          ├─ tasker.queue   ready
          └─ tasker.attempt 1   error: `test -e mended || exit 3` exited with 3
             └─ tasker.handler command   error
    ");
}

#[test]
fn the_trace_of_a_task_is_one_span_a_line_as_json() {
    let folder = mended();
    folder.run_to(0, &["run", "order.yaml", "--quiet"]);
    let lines = folder.run_to(0, &["trace", "show", "last", "--json"]).out;
    let spans: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let known: Vec<&Value> = spans.iter().map(|span| &span["span_id"]).collect();
    assert_eq!(spans.len(), 2 + 3 * 4);
    assert!(spans[1..].iter().all(|span| known.contains(&&span["parent_span_id"])), "{lines}");
    let ship = spans.iter().find(|span| span["name"] == "tasker.step ship").expect("a span");
    let links = ship["links"].as_array().expect("links");
    assert!(links.len() == 2 && links.iter().all(|link| known.contains(&&link["span_id"])), "{ship}");
    assert_eq!(ship["attributes"]["tasker.step.state"], "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_is_sent_again_and_is_the_same() {
    let (folder, mut collector) = (mended(), Collector::start().await);
    folder.run_to(0, &["run", "order.yaml", "--quiet"]);
    let export = || folder.run_to(0, &["trace", "export", "last", "--endpoint", &collector.endpoint()]).out;
    let told = [export(), export()];
    let ending = format!("14 spans sent to {}\n", collector.endpoint());
    assert!(told.iter().all(|told| told.ends_with(&ending)), "{told:?}");
    let spans = collector.until(|spans| spans.len() == 28).await;
    assert_eq!(ids(&spans[..14]), ids(&spans[14..]));
    assert!(spans.iter().all(|span| span.service == "tasker"));
}

#[test]
fn a_collector_that_is_not_there_is_told_with_what_to_do() {
    let folder = mended();
    folder.run_to(0, &["run", "order.yaml", "--quiet"]);
    let words = ["trace", "export", "last", "--endpoint", "http://u:hunter2@127.0.0.1:9"];
    let ran = folder.run_to(1, &words);
    assert!(ran.err.contains("0 spans sent and no more: the collector at http://u:"), "{}", ran.err);
    assert!(!ran.err.contains("hunter2") && ran.err.contains("--verbose says why"), "{}", ran.err);
    let ran = folder.run_to(2, &["trace", "export", "last", "--endpoint", "nowhere"]);
    assert!(ran.err.contains("traces.endpoint"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_sends_its_trace_with_what_its_handlers_did_before_it_ends() {
    let (folder, mut collector) = (mended(), Collector::start().await);
    run_traced(&folder, 0, &["run", "order.yaml", "--quiet"], &collector.endpoint(), "1");
    let spans = collector.spans();
    assert_eq!(ids(spans).len(), spans.len());
    // The command is a process, and each of its calls of the database has a span too: one for the inputs of the step
    // that has some, one for each that is settled.
    assert_eq!((named(spans, "tasker.work").len(), spans.len()), (3, 2 + 3 * 5 + 1 + 4));
    let known = ids(spans);
    let parents: Vec<&str> = spans.iter().filter_map(|span| span.parent.as_deref()).collect();
    assert!(parents.len() + 1 == spans.len() && parents.iter().all(|parent| known.contains(parent)));
}

#[test]
fn a_run_whose_collector_is_not_there_is_a_run_all_the_same() {
    let folder = mended();
    let ran = run_traced(&folder, 0, &["run", "order.yaml"], "http://127.0.0.1:9", "1");
    assert!(ran.out.contains("3 of 3 steps"), "{}", ran.out);
    assert!(ran.err.contains("the collector did not take the trace"), "{}", ran.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_failed_and_was_retried_is_sent_again_as_a_whole() {
    let (folder, mut collector) = (Folder::with("order.yaml", ORDER), Collector::start().await);
    let endpoint = collector.endpoint();
    run_traced(&folder, 1, &["run", "order.yaml", "--quiet"], &endpoint, "0");
    let failed = collector.spans().len();
    assert_eq!(named(collector.spans(), "tasker.orchestrate").len(), 1);
    folder.write("mended", "");
    folder.run_to(0, &["task", "retry", "last"]);
    run_traced(&folder, 0, &["resume", "--quiet"], &endpoint, "0");
    let again = &collector.spans()[failed..];
    assert_eq!(named(again, "tasker.orchestrate").len(), 2);
    let whole = named(again, "tasker.task")[0];
    assert_eq!((whole.attribute("tasker.task.state"), &whole.error), ("complete", &None));
}
