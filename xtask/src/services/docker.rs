//! Servers in containers.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result};

use super::recipe::{Durability, Image};
use super::say;
use crate::shell;

/// Whether there is a daemon behind the `docker` command.
pub(super) fn answers() -> bool {
    shell::succeeds(Command::new("docker").arg("info"))
}

/// Fetches the image, which may take longer than a server may take to start.
pub(super) fn pull(image: &Image) -> Result<()> {
    say(&format!("fetching the image {}", image.name));
    shell::output(Command::new("docker").args(["pull", "--quiet", image.name]))
        .map(drop)
        .with_context(|| format!("cannot fetch the image {}", image.name))
}

/// The command line that runs the server in the foreground and removes the container with it.
pub(super) fn command(image: &Image, port: u16, durability: Durability) -> Vec<OsString> {
    let mut command: Vec<String> = ["docker", "run", "--rm", "--publish"].map(str::to_owned).into();
    command.push(format!("127.0.0.1:{port}:{}", image.port));
    command.extend(image.environment.iter().map(|variable| format!("--env={variable}")));
    command.push(image.name.to_owned());
    command.extend((image.command)(durability).into_iter().map(str::to_owned));
    command.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::postgres;

    #[test]
    fn a_container_is_published_on_the_local_port_alone_and_removed_at_its_end() {
        let words = command(&postgres::RECIPE.image, 4242, Durability::Fsync);
        let line = words.join(" ".as_ref()).into_string().expect("text");
        assert!(
            line.starts_with("docker run --rm --publish 127.0.0.1:4242:5432 --env=POSTGRES_USER=tasker"),
            "{line}"
        );
        assert!(line.ends_with("postgres:17-alpine postgres -c max_connections=200"), "{line}");
    }
}
