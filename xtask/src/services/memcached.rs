//! Memcached.

use super::recipe::{Greeting, Image, Recipe, words};

/// 64 MB, TCP only.
pub(super) const RECIPE: Recipe = Recipe {
    name: "memcached",
    url_variable: "TASKER_TEST_MEMCACHED_URL",
    bin_variable: None,
    programs: &["memcached"],
    package: "memcached",
    companion: None,
    image: Image {
        name: "memcached:1.6-alpine",
        port: 11211,
        environment: &[],
        command: |_| vec!["memcached", "-m", "64"],
    },
    greeting: Greeting { hello: b"version\r\n", welcome: b"VERSION " },
    stop_signal: "TERM",
    url: |port| format!("memcached://127.0.0.1:{port}"),
    preparation: "",
    command: |program, place, _| {
        let mut command = vec![program.as_os_str().to_owned()];
        command.extend(words(["-l", "127.0.0.1", "-p", &place.port.to_string(), "-U", "0", "-m", "64"]));
        command
    },
};
