//! The parts that the binaries have in common: health and metrics over HTTP, the agents, a store that is waited for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tasker_api::Api;
use tasker_engine::Agents;
use tasker_store::Store;
use tokio::net::TcpListener;

use crate::error::RunError;
use crate::open::Database;
use crate::process::Process;
use crate::settings::{DatabaseSettings, Settings};

/// A part that has nothing to finish is given so long to stop.
const PATIENCE: Duration = Duration::from_secs(10);

impl Process {
    /// Has `api` answer at `address`, which is the value of `setting`, until all that is started later has stopped. Says at
    /// which address it listens.
    ///
    /// # Errors
    ///
    /// [`RunError::Start`] if the address cannot be listened at.
    pub async fn start_http(
        &mut self,
        setting: &'static str,
        address: &str,
        api: Api,
    ) -> Result<SocketAddr, RunError> {
        let failed = |source: std::io::Error| {
            let action = format!("listen at {address} (the setting {setting})");
            RunError::Start { action, source: source.into() }
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        self.start("HTTP interface", PATIENCE, |stop| async move { Ok(api.serve(listener, stop).await?) });
        Ok(address)
    }

    /// The store `given`, or else the one that the settings name: it is opened, waited for as the settings say if it
    /// cannot be reached, and closed when all that is started later has stopped. `None` if the shutdown came before it
    /// could be opened.
    ///
    /// # Errors
    ///
    /// [`RunError::Open`] if it cannot be opened.
    pub async fn start_store(
        &mut self,
        given: Option<Arc<dyn Store>>,
        settings: &DatabaseSettings,
    ) -> Result<Option<Arc<dyn Store>>, RunError> {
        if given.is_some() {
            return Ok(given);
        }
        let shutdown = self.shutdown().clone();
        let database = tokio::select! {
            opened = Database::open_patiently(settings) => opened?,
            () = shutdown.cancelled() => return Ok(None),
        };
        let store = database.store();
        self.start("database", PATIENCE, |stop| async move {
            stop.cancelled().await;
            Ok(database.close().await?)
        });
        Ok(Some(store))
    }

    /// Runs the agents on a store.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] if the settings of backoffs are not to be used.
    pub fn start_agents(&mut self, store: &Arc<dyn Store>, settings: &Settings) -> Result<(), RunError> {
        let agents = Agents::start(store, &settings.agents.agent_settings(settings.usable_backoff()?));
        self.start("agents", PATIENCE, |stop| async move {
            stop.cancelled().await;
            agents.stop().await;
            Ok(())
        });
        Ok(())
    }
}
