//! `cargo xtask services`: PostgreSQL, Redis and Memcached for tests, on free ports, gone afterwards.
//!
//! In reading order: a [`recipe`] says how one server is found, started and greeted; [`origin`] decides where it
//! comes from; [`leash`] starts it so that it cannot outlive us; [`server`] and [`running`] put these together. [`tools`]
//! are programs that tests start themselves.

mod docker;
mod install;
mod interrupts;
mod leash;
mod memcached;
mod origin;
mod postgres;
mod ready;
mod recipe;
mod redis;
mod running;
mod server;
mod tools;
mod unpack;
mod user;

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

pub(crate) use recipe::Durability;
pub(crate) use running::Services;

/// Runs a command with its own PostgreSQL, Redis and Memcached, on free ports of 127.0.0.1.
///
/// The command finds them in TASKER_TEST_POSTGRES_URL, TASKER_TEST_REDIS_URL and TASKER_TEST_MEMCACHED_URL, and the
/// folder of the PostgreSQL programs, if it is known, in TASKER_TEST_POSTGRES_BIN; the program pgbouncer, which some tests
/// put before PostgreSQL, in TASKER_TEST_PGBOUNCER. TASKER_TEST_PROMETHEUS and TASKER_TEST_PROMTOOL are the programs of
/// Prometheus, which tests start themselves; TASKER_TEST_PROMETHEUS_CLIENT is the folder of Python's module
/// prometheus_client. One of these five that is missing is told in a line, and the servers run without it. Without a
/// command the variables are printed and the servers run until Ctrl-C. Their data lives in temporary folders that are
/// removed at the end, also when this program is killed.
///
/// If one of the three URLs is set already, it wins: that server is used as it is and none is started. Otherwise a
/// server is taken from PATH or the usual folders of Debian, Homebrew and source builds, else installed with apt-get
/// (as root on Debian and Ubuntu), else run by Docker. Prometheus is taken from the same places, or unpacked from
/// packages of Debian or Ubuntu into the target folder; it is never installed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only these, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    only: Vec<Kind>,
    /// PostgreSQL without fsync and full-page writes: for tests, whose data may be lost with the machine.
    #[arg(long)]
    fast: bool,
    /// The command to run, after `--`.
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// The servers there are, and Prometheus, of which only the programs are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Postgres,
    Redis,
    Memcached,
    Prometheus,
}

impl Kind {
    /// All of them, in the order in which they are started.
    pub(crate) const ALL: [Self; 4] = [Self::Postgres, Self::Redis, Self::Memcached, Self::Prometheus];
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let kinds = if args.only.is_empty() { Kind::ALL.as_slice() } else { &args.only };
    let durability = if args.fast { Durability::Fast } else { Durability::Fsync };
    let mut services = Services::start(kinds, durability)?;
    let Some((program, rest)) = args.command.split_first() else {
        for (name, value) in services.variables() {
            println!("export {name}='{value}'");
        }
        eprintln!("services: Ctrl-C stops them");
        services.wait_for_interrupt();
        return Ok(());
    };
    services.run(Command::new(program).args(rest))
}

/// Prints one line about the services to standard error.
fn say(line: &str) {
    eprintln!("services: {line}");
}
