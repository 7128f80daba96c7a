//! Redis, or Valkey, which speaks the same protocol.

use super::recipe::{Greeting, Image, Recipe, words};

/// Keeps nothing on disk.
pub(super) const RECIPE: Recipe = Recipe {
    name: "redis",
    url_variable: "TASKER_TEST_REDIS_URL",
    bin_variable: None,
    programs: &["redis-server", "valkey-server"],
    package: "redis-server",
    companion: None,
    image: Image {
        name: "redis:7-alpine",
        port: 6379,
        environment: &[],
        command: |_| vec!["redis-server", "--save", "", "--appendonly", "no"],
    },
    greeting: Greeting { hello: b"PING\r\n", welcome: b"+PONG" },
    stop_signal: "TERM",
    url: |port| format!("redis://127.0.0.1:{port}"),
    preparation: "",
    command: |program, place, _| {
        let mut command = vec![program.as_os_str().to_owned()];
        command.extend(words(["--port", &place.port.to_string(), "--bind", "127.0.0.1"]));
        command.extend(words(["--save", "", "--appendonly", "no", "--daemonize", "no"]));
        command
    },
};
