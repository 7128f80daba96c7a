//! From settings to what the parts of the house are configured with.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use tasker_core::{Backoff, BackoffError, IdentityStrategy, SystemClock};
use tasker_engine::{AgentSettings, EngineSettings};
use tasker_store::Retention;

use super::{AgentsSection, BackoffSection, DatabaseSettings, EngineSection, IdentityRule};
use crate::masking::without_secrets;

/// Longer than anything lasts: what is kept for ever.
const FOR_EVER: Duration = Duration::from_hours(1_000 * 365 * 24);

impl TryFrom<&BackoffSection> for Backoff {
    type Error = BackoffError;

    fn try_from(section: &BackoffSection) -> Result<Self, BackoffError> {
        let backoff = Self {
            table_seconds: section.default_backoff_seconds.clone(),
            max_seconds: section.max_backoff_seconds,
            multiplier: section.backoff_multiplier,
            jitter: section.jitter_enabled,
            jitter_max_percentage: section.jitter_max_percentage,
        };
        backoff.validated()
    }
}

impl DatabaseSettings {
    /// The URL to be shown: its secrets are masked.
    pub fn shown(&self) -> String {
        without_secrets(&self.url)
    }
}

impl EngineSection {
    /// What makes two submissions the same task, if they do not say.
    pub fn identity_strategy(&self) -> IdentityStrategy {
        match self.identity {
            IdentityRule::Default => IdentityStrategy::Default,
            IdentityRule::Hash => IdentityStrategy::Hash { window_seconds: self.identity_window_seconds },
        }
    }

    /// The settings of an engine, with the clock of the machine.
    pub fn engine_settings(&self) -> EngineSettings {
        EngineSettings {
            identity: self.identity_strategy(),
            worker_gone_after: seconds(self.worker_gone_after_seconds),
            clock: Arc::new(SystemClock),
            seed: None,
        }
    }
}

impl AgentsSection {
    /// The settings of the agents, with a seed from the operating system; `backoff` is the one that the workers go by.
    pub fn agent_settings(&self, backoff: Backoff) -> AgentSettings {
        AgentSettings {
            retention: self.retention(),
            prune_interval: seconds(self.prune_interval_seconds),
            rescue_interval: seconds(self.rescue_interval_seconds),
            idle_interval: self.idle_interval(),
            backoff,
            seed: StdRng::from_os_rng().next_u64(),
        }
    }

    /// The same, for a process that removes nothing: what is kept how long is decided where the server is set up,
    /// and not by the defaults of whoever else works on its database.
    #[must_use]
    pub fn without_pruning(self) -> Self {
        Self { retention_days: 0, failed_retention_days: 0, ..self }
    }

    /// How long the store may go unseen while nothing happens.
    pub(crate) fn idle_interval(&self) -> Duration {
        seconds(self.idle_interval_seconds)
    }

    fn retention(&self) -> Option<Retention> {
        let days = |days: u32| match days {
            0 => FOR_EVER,
            days => Duration::from_hours(u64::from(days) * 24),
        };
        let is_pruned = self.retention_days > 0 || self.failed_retention_days > 0;
        is_pruned
            .then(|| Retention { ended: days(self.retention_days), failed: days(self.failed_retention_days) })
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retention(retention_days: u32, failed_retention_days: u32) -> Option<Retention> {
        AgentsSection { retention_days, failed_retention_days, ..AgentsSection::default() }
            .agent_settings(Backoff::default())
            .retention
    }

    #[test]
    fn zero_days_is_for_ever() {
        let day = Duration::from_hours(24);
        assert_eq!(retention(30, 90), Some(Retention { ended: 30 * day, failed: 90 * day }));
        assert_eq!(retention(1, 0), Some(Retention { ended: day, failed: FOR_EVER }));
        assert_eq!(retention(0, 1), Some(Retention { ended: FOR_EVER, failed: day }));
        assert_eq!(retention(0, 0), None);
        let keeping = AgentsSection::default().without_pruning();
        assert_eq!(keeping.agent_settings(Backoff::default()).retention, None);
    }

    #[test]
    fn the_defaults_are_those_of_the_parts() {
        let (agents, engine) = (
            AgentsSection::default().agent_settings(Backoff::default()),
            EngineSection::default().engine_settings(),
        );
        assert_eq!(
            format!("{:?}", AgentSettings { seed: 0, ..agents }),
            format!("{:?}", AgentSettings::default())
        );
        assert_eq!(format!("{engine:?}"), format!("{:?}", EngineSettings::default()));
        assert_eq!(Backoff::try_from(&BackoffSection::default()), Ok(Backoff::default()));
    }

    #[test]
    fn the_identity_is_a_rule_with_its_window() {
        let section =
            |identity| EngineSection { identity, identity_window_seconds: 7, ..EngineSection::default() };
        assert_eq!(section(IdentityRule::Default).identity_strategy(), IdentityStrategy::Default);
        let hash = IdentityStrategy::Hash { window_seconds: 7 };
        assert_eq!(section(IdentityRule::Hash).identity_strategy(), hash);
    }
}
