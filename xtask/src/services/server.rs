//! One server, from its first start to its end.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::interrupts::Interrupts;
use super::leash::{Launch, Leash};
use super::origin::{self, Origin};
use super::ready::{free_port, is_ready};
use super::recipe::{Durability, Place, Recipe};
use super::user::User;
use super::{docker, say};

/// How long a server may take until it answers.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How often a starting server is greeted.
const POLL: Duration = Duration::from_millis(20);

/// How often a server is started that ends at once: somebody else may have taken its port.
const TRIES: usize = 3;

/// One server, ours or given.
#[derive(Debug)]
pub(super) struct Server {
    recipe: &'static Recipe,
    url: String,
    /// The folder of its programs, if this machine has them.
    bin: Option<PathBuf>,
    leash: Option<Leash>,
}

impl Server {
    /// Starts a server and waits until it answers. One that is given is taken as it is.
    pub(super) fn start(
        recipe: &'static Recipe,
        origin: &Origin,
        durability: Durability,
        interrupts: &mut Interrupts,
    ) -> Result<Self> {
        let bin = origin::program(recipe).and_then(|program| origin::home(&program));
        if let Origin::Given(url) = origin {
            say(&format!("{} is given by {}", recipe.name, recipe.url_variable));
            return Ok(Self { recipe, url: url.clone(), bin, leash: None });
        }
        if *origin == Origin::Docker {
            docker::pull(&recipe.image)?;
        }
        let mut last_words = String::new();
        for _ in 0..TRIES {
            let port = free_port()?;
            let leash = put_on_leash(recipe, origin, port, durability)?;
            if wait_until_ready(&leash, port, recipe, interrupts)? {
                say(&format!("{} on port {port}, {}", recipe.name, told(origin)));
                return Ok(Self { recipe, url: (recipe.url)(port), bin, leash: Some(leash) });
            }
            last_words = leash.last_words();
        }
        bail!("it ended at once, {TRIES} times; its last words: {last_words}");
    }

    /// The environment that leads a test to this server.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let url = (self.recipe.url_variable, self.url.clone());
        let bin = self.recipe.bin_variable.zip(self.bin.as_ref());
        let bin = bin.map(|(name, folder)| (name, folder.display().to_string()));
        let companion = self.recipe.companion.as_ref();
        let companion =
            companion.and_then(|it| Some((it.variable, origin::companion(it)?.display().to_string())));
        std::iter::once(url).chain(bin).chain(companion).collect()
    }

    /// Asks the server to end, if it is ours, and does not wait for it.
    pub(super) fn let_go(&mut self) {
        if let Some(leash) = &mut self.leash {
            leash.let_go();
        }
    }
}

fn put_on_leash(recipe: &Recipe, origin: &Origin, port: u16, durability: Durability) -> Result<Leash> {
    let folder = temporary_folder(recipe.name)?;
    let place = Place { folder: folder.path(), port };
    let (preparation, command, user) = match origin {
        Origin::Program(program) => {
            let command = (recipe.command)(program, &place, durability);
            (recipe.preparation, command, User::for_folder(folder.path())?)
        }
        Origin::Docker => ("", docker::command(&recipe.image, port, durability), None),
        Origin::Given(_) => unreachable!("invariant: a given server is not started"),
    };
    let signal = recipe.stop_signal;
    Leash::put(&Launch { preparation, command, signal, user }, folder)
}

fn temporary_folder(name: &str) -> Result<TempDir> {
    let prefix = format!("tasker-{name}-");
    tempfile::Builder::new().prefix(&prefix).tempdir().context("cannot make a temporary folder")
}

/// `false` if the server ended instead.
fn wait_until_ready(leash: &Leash, port: u16, recipe: &Recipe, interrupts: &mut Interrupts) -> Result<bool> {
    let started = Instant::now();
    while !is_ready(port, &recipe.greeting) {
        interrupts.check()?;
        if leash.has_ended() {
            return Ok(false);
        }
        if started.elapsed() > START_WITHIN {
            bail!("it did not answer for {START_WITHIN:?}; its last words: {}", leash.last_words());
        }
        thread::sleep(POLL);
    }
    Ok(!leash.has_ended())
}

fn told(origin: &Origin) -> String {
    match origin {
        Origin::Program(program) => program.display().to_string(),
        Origin::Docker => "in a container".to_owned(),
        Origin::Given(url) => url.clone(),
    }
}
