//! What attempts logged, over a real socket.

use std::sync::Arc;

use serde_json::{Value, json};
use tasker_api::{Api, LogReader, LoggedAttempt, LoggedLine, Token};
use tasker_core::{TaskId, Timestamp};

use crate::support::{Answer, Served, send, serve_silent};

const TOKEN: &str = "operator-0123456789";
const TASK: &str = "01a2075a-3e57-7e65-b312-550913500000";
const AWAY: &str = "01a2075a-3e57-7e65-b312-550913600000";

/// Knows one task, of which two attempts logged, and one that cannot be read.
struct Shelf;

#[async_trait::async_trait]
impl LogReader for Shelf {
    async fn logs(&self, task: TaskId) -> Result<Option<Vec<LoggedAttempt>>, String> {
        let line = |text: &str| LoggedLine { at: Timestamp::from_micros(7), text: text.to_owned() };
        let attempt = |step: &str, attempt, text| LoggedAttempt {
            step: step.to_owned(),
            attempt,
            lines: vec![line(text)],
        };
        match &*task.to_string() {
            TASK => {
                Ok(Some(vec![attempt("pack", 1, "one"), attempt("pack", 2, "two"), attempt("ship", 1, "go")]))
            }
            AWAY => Err("the database is not available".to_owned()),
            _ => Ok(None),
        }
    }
}

async fn ask(served: &Served, path: &str) -> Answer {
    let header = format!("Authorization: Bearer {TOKEN}\r\n");
    send(served.address, &format!("GET /tasks/{path}"), &header, "").await
}

async fn serve() -> Served {
    serve_silent(|api: Api| api.logs(Arc::new(Shelf)).operators(Token::of(TOKEN).expect("a token"))).await
}

fn texts(answer: &Answer) -> Vec<Value> {
    let body = answer.json();
    let attempts = body["attempts"].as_array().expect("a list");
    attempts.iter().map(|attempt| attempt["lines"][0]["text"].clone()).collect()
}

#[tokio::test]
async fn lines_are_told_by_step_and_attempt() {
    let served = serve().await;
    let all = ask(&served, &format!("{TASK}/logs")).await;
    assert_eq!((all.status, texts(&all)), (200, vec![json!("one"), json!("two"), json!("go")]));
    let line = json!({ "at": "1970-01-01T00:00:00.000007Z", "text": "one" });
    assert_eq!(all.json()["attempts"][0], json!({ "step": "pack", "attempt": 1, "lines": [line] }));
    let second = ask(&served, &format!("{TASK}/logs?step=pack&attempt=2")).await;
    assert_eq!(texts(&second), ["two"]);
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_the_reason() {
    let served = serve().await;
    let mut told = Vec::new();
    for path in [
        "nobody/logs",
        "01a2075a-3e57-7e65-b312-550913700000/logs",
        &format!("{AWAY}/logs"),
        &format!("{TASK}/logs?stpe=pack"),
    ] {
        let answer = ask(&served, path).await;
        told.push(format!("{} {}", answer.status, answer.json()["message"].as_str().expect("a text")));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    422 "nobody" is not the id of a task: write its UUID
    404 there is no task 01a2075a-3e57-7e65-b312-550913700000
    503 the database is not available
    422 Failed to deserialize query string: stpe: unknown field `stpe`, expected `step` or `attempt`; ask by step=NAME and attempt=NUMBER
    "#);
    let stranger = send(served.address, &format!("GET /tasks/{TASK}/logs"), "", "").await;
    assert_eq!(stranger.status, 401);
}
