//! How one kind of server is found, started, greeted and stopped.

use std::ffi::OsString;
use std::path::Path;

use super::{Kind, memcached, postgres, redis};

/// What must survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// What production keeps: every commit is on the disk.
    Fsync,
    /// What tests need: nothing.
    Fast,
}

/// Everything that differs between the servers.
#[derive(Debug)]
pub(super) struct Recipe {
    /// The word in messages and in the names of temporary folders.
    pub(super) name: &'static str,
    /// The environment variable that carries the URL.
    pub(super) url_variable: &'static str,
    /// The environment variable that carries the folder of the programs, if tests need it.
    pub(super) bin_variable: Option<&'static str>,
    /// The programs that can serve; the first that is found is taken.
    pub(super) programs: &'static [&'static str],
    /// The package of Debian.
    pub(super) package: &'static str,
    /// A program that tests start beside the server, if there is one.
    pub(super) companion: Option<Companion>,
    /// The container image, its port, its environment and the arguments before our own.
    pub(super) image: Image,
    /// What a client sends first, and how the answer of a server that is ready begins.
    pub(super) greeting: Greeting,
    /// The signal that ends the server at once.
    pub(super) stop_signal: &'static str,
    /// The URL of the server on this port.
    pub(super) url: fn(u16) -> String,
    /// A line of shell that runs in the folder first and sees the program as `$1`.
    pub(super) preparation: &'static str,
    /// The command line of the server. Gets the program found.
    pub(super) command: fn(&Path, &Place<'_>, Durability) -> Vec<OsString>,
}

/// A program that tests start themselves, with a configuration of their own.
#[derive(Debug)]
pub(super) struct Companion {
    /// The name of the program, and of its package in Debian.
    pub(super) name: &'static str,
    /// The environment variable that carries its path.
    pub(super) variable: &'static str,
}

/// How a server runs in a container.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) name: &'static str,
    pub(super) port: u16,
    pub(super) environment: &'static [&'static str],
    pub(super) command: fn(Durability) -> Vec<&'static str>,
}

/// A first exchange with a server.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) hello: &'static [u8],
    pub(super) welcome: &'static [u8],
}

/// Where a server lives.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) folder: &'a Path,
    pub(super) port: u16,
}

impl Kind {
    /// The recipe of this kind, if it is a server.
    pub(super) fn recipe(self) -> Option<&'static Recipe> {
        match self {
            Self::Postgres => Some(&postgres::RECIPE),
            Self::Redis => Some(&redis::RECIPE),
            Self::Memcached => Some(&memcached::RECIPE),
            Self::Prometheus => None,
        }
    }
}

/// The words of a command line.
pub(super) fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}
