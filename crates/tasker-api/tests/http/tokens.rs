//! Who is let in, over a real socket.

use std::sync::{Arc, Mutex};

use tasker_api::{Access, Api, LogLevel, Token};
use tasker_core::CorrelationId;
use tasker_events::Events;

use crate::support::{ask, serve_silent};

const READER: &str = "reader-0123456789";
const OPERATOR: &str = "operator-0123456789";

/// A log that only remembers.
#[derive(Default)]
struct Remembered(Mutex<String>);

impl LogLevel for Remembered {
    fn level(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }

    fn set_level(&self, level: &str, _: &CorrelationId) -> Result<(), String> {
        level.clone_into(&mut self.0.lock().expect("no panic"));
        Ok(())
    }
}

fn token(text: &str) -> Token {
    Token::of(text).expect("a token")
}

fn guarded(api: Api) -> Api {
    let log = Arc::new(Remembered::default());
    api.events(Events::default()).log(log).readers(Access::Bearer(token(READER))).operators(token(OPERATOR))
}

#[tokio::test]
async fn who_shows_the_token_may_read_and_others_are_asked_for_it() {
    let served = serve_silent(guarded).await;
    for path in ["/metrics", "/tasker/metrics", "/events", "/events/task.failed"] {
        let answer = ask(served.address, "GET", path, "").await;
        let challenge = answer.header("www-authenticate");
        assert_eq!((answer.status, challenge), (401, Some("Bearer realm=\"tasker\"")), "{path}");
        for scheme in ["Bearer", "bearer"] {
            let head = format!("Authorization: {scheme} {READER}\r\n");
            assert_eq!(ask(served.address, "GET", path, &head).await.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_told_nowhere() {
    let served = serve_silent(guarded).await;
    let operator = format!("Bearer {OPERATOR}");
    for shown in
        [operator.as_str(), "Bearer", "Bearer ", "Basic cmVhZGVyLTAxMjM0NTY3ODk=", READER, "Bearer \u{e9}"]
    {
        let answer = ask(served.address, "GET", "/metrics", &format!("Authorization: {shown}\r\n")).await;
        assert_eq!(answer.status, 401, "{shown}");
        assert!(!answer.body.contains(READER) && !answer.body.contains(OPERATOR), "{}", answer.body);
    }
    let head = format!("Authorization: {operator}\r\n");
    let answer = ask(served.address, "GET", "/metrics", &head).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"tasker\", error=\"invalid_token\""));
    insta::assert_snapshot!(answer.body, @r#"{"error":"Unauthorized","message":"the token is not the one that is asked for"}"#);
}

#[tokio::test]
async fn health_is_told_to_everybody() {
    let served = serve_silent(guarded).await;
    for path in ["/health/live", "/health/ready"] {
        assert_eq!(ask(served.address, "GET", path, "").await.status, 200);
    }
}

#[tokio::test]
async fn what_changes_the_process_asks_for_a_token_of_its_own() {
    let served = serve_silent(guarded).await;
    for path in ["/log/level", "/tasker/log/level", "/events/task.failed/route"] {
        let shown = |token: &str| format!("Authorization: Bearer {token}\r\n");
        assert_eq!(ask(served.address, "GET", path, "").await.status, 401, "{path}");
        assert_eq!(ask(served.address, "GET", path, &shown(READER)).await.status, 401, "{path}");
        assert_eq!(ask(served.address, "GET", path, &shown(OPERATOR)).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn without_a_token_nobody_may_change_the_process() {
    let served = serve_silent(|api| api.events(Events::default())).await;
    for path in ["/log/level", "/events/task.failed/route"] {
        let answer = ask(served.address, "PUT", path, "Authorization: Bearer \r\n").await;
        assert_eq!(answer.status, 403);
        insta::allow_duplicates! { insta::assert_snapshot!(answer.body, @r#"{"error":"Forbidden","message":"nobody may read or change this over HTTP: set http.admin_token, or http.admin_token_file, to let those in who show that token"}"#); }
    }
}
