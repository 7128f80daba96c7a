//! Durable subscribers as a part of a process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tasker_core::SystemClock;
use tasker_store::Store;
use tasker_subscribers::{SubscriberSettings, Subscribers, Surroundings};

use crate::environment::environment;
use crate::error::RunError;
use crate::metrics::Metrics;
use crate::process::Process;

/// They give back their places within ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);

impl Process {
    /// Has subscribers follow the feed of a store, until all that is started later has stopped. Any number of processes
    /// may run the same ones: one at a time delivers.
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] with the first that cannot be used.
    pub fn start_subscribers(
        &mut self,
        subscribers: Vec<SubscriberSettings>,
        store: &Arc<dyn Store>,
        metrics: &Metrics,
    ) -> Result<(), RunError> {
        if subscribers.is_empty() {
            return Ok(());
        }
        let surroundings = Surroundings {
            store: Arc::clone(store),
            cursors: Arc::clone(store) as Arc<_>,
            events: metrics.events().clone(),
            clock: Arc::new(SystemClock),
            seed: StdRng::from_os_rng().next_u64(),
            environment: environment().into_iter().collect(),
            base_dir: PathBuf::new(),
        };
        let subscribers = Subscribers::start(subscribers, &surroundings)
            .map_err(|error| RunError::Refused { what: format!("events.subscribers: {error}") })?;
        metrics.followed_by(subscribers.tallies());
        self.start("subscribers", PATIENCE, |stop| async move {
            stop.cancelled().await;
            subscribers.stop().await;
            Ok(())
        });
        Ok(())
    }
}
