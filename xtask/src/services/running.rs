//! All servers of one run, and the command that runs beside them.

use std::process::Command;

use anyhow::{Context, Result};

use super::interrupts::Interrupts;
use super::recipe::Durability;
use super::server::Server;
use super::{Kind, origin, tools};
use crate::shell::{self, CommandFailed};

/// Servers that end when this value does.
#[derive(Debug)]
pub(crate) struct Services {
    servers: Vec<Server>,
    /// What leads to programs that tests start themselves.
    tools: Vec<(&'static str, String)>,
    interrupts: Interrupts,
}

impl Services {
    /// Finds or installs the servers, starts them, and waits until each answers. Tools are found and not started.
    pub(crate) fn start(kinds: &[Kind], durability: Durability) -> Result<Self> {
        let recipes: Vec<_> = kinds.iter().filter_map(|kind| kind.recipe()).collect();
        let tools = tools::find_all(kinds);
        let mut services = Self { servers: Vec::new(), tools, interrupts: Interrupts::take()? };
        for (recipe, origin) in recipes.iter().zip(origin::find_all(&recipes)?) {
            let server = Server::start(recipe, &origin, durability, &mut services.interrupts)
                .with_context(|| format!("cannot start {}", recipe.name))?;
            services.servers.push(server);
        }
        Ok(services)
    }

    /// The environment that leads a test to the servers and the tools.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        self.servers.iter().flat_map(Server::variables).chain(self.tools.clone()).collect()
    }

    /// Runs a command with these variables. Its exit code is kept in the error.
    pub(crate) fn run(&mut self, command: &mut Command) -> Result<()> {
        self.interrupts.check()?;
        command.envs(self.variables());
        shell::announce(command);
        let mut child =
            command.spawn().with_context(|| format!("cannot start `{}`", shell::line(command)))?;
        let status = self.interrupts.wait_for(&mut child)?;
        CommandFailed::check(command, status)
    }

    /// Waits for Ctrl-C or SIGTERM.
    pub(crate) fn wait_for_interrupt(&mut self) {
        self.interrupts.wait();
    }
}

impl Drop for Services {
    /// Lets all go first, so that they end side by side.
    fn drop(&mut self) {
        self.servers.iter_mut().for_each(Server::let_go);
    }
}
