//! PostgreSQL.

use std::ffi::OsString;
use std::path::Path;

use super::origin;
use super::recipe::{Companion, Durability, Greeting, Image, Place, Recipe, words};

/// The programs of one version stand in one folder; `initdb` is the one that clients' packages do not bring.
pub(super) const RECIPE: Recipe = Recipe {
    name: "postgres",
    url_variable: "TASKER_TEST_POSTGRES_URL",
    bin_variable: Some("TASKER_TEST_POSTGRES_BIN"),
    programs: &["initdb"],
    package: "postgresql",
    companion: Some(Companion { name: "pgbouncer", variable: "TASKER_TEST_PGBOUNCER" }),
    image: Image {
        name: "postgres:17-alpine",
        port: 5432,
        environment: &["POSTGRES_USER=tasker", "POSTGRES_DB=postgres", "POSTGRES_HOST_AUTH_METHOD=trust"],
        command: |durability| [vec!["postgres"], settings(durability)].concat(),
    },
    greeting: Greeting { hello: STARTUP, welcome: AUTHENTICATED },
    // Immediate shutdown: the data is thrown away, but shared memory is given back.
    stop_signal: "QUIT",
    url: |port| format!("postgres://tasker@127.0.0.1:{port}/postgres"),
    preparation: PREPARATION,
    command,
};

/// Makes a cluster whose only user is `tasker`, in folder `data`.
const PREPARATION: &str = r#""$(dirname "$1")"/initdb --auth=trust --username=tasker --no-sync \
    --encoding=UTF8 --locale=C --pgdata=data"#;

/// The start-up message of protocol 3.0: its length, the version, then the user and the database.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const STARTUP: &[u8] = b"\0\0\0\x27\0\x03\0\0user\0tasker\0database\0postgres\0\0";

/// `AuthenticationOk`. A server that is starting up or recovering answers `E`, an error.
const AUTHENTICATED: &[u8] = b"R\0\0\0\x08\0\0\0\0";

fn settings(durability: Durability) -> Vec<&'static str> {
    let mut settings = vec!["-c", "max_connections=200"];
    if durability == Durability::Fast {
        settings.extend(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    settings
}

fn command(initdb: &Path, place: &Place<'_>, durability: Durability) -> Vec<OsString> {
    let home = origin::home(initdb).unwrap_or_default();
    let mut command = vec![home.join("postgres").into_os_string()];
    command.extend(words(["-D", "data", "-p", &place.port.to_string()]));
    command.extend(words(["-c", "listen_addresses=127.0.0.1"]));
    command.extend(words(["-c", &format!("unix_socket_directories={}", place.folder.display())]));
    command.extend(settings(durability).into_iter().map(OsString::from));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_startup_message_begins_with_its_own_length() {
        let (length, _) = STARTUP.split_first_chunk::<4>().expect("four bytes of length");
        assert_eq!(u32::from_be_bytes(*length) as usize, STARTUP.len());
    }

    #[test]
    fn only_a_fast_server_gives_up_fsync_and_none_gives_up_synchronous_commit() {
        assert!(!settings(Durability::Fsync).contains(&"fsync=off"));
        assert!(settings(Durability::Fast).contains(&"fsync=off"));
        assert!(!settings(Durability::Fast).iter().any(|setting| setting.contains("synchronous_commit")));
    }
}
