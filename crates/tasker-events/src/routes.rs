//! Where events go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::catalog::EventId;

/// Who an event may go to. Subscribers are not among them: they say themselves what they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// It is counted.
    Metrics,
    /// It becomes a part of a trace.
    Traces,
    /// It becomes a line of the log.
    Logs,
}

/// How much an event matters: the less, the sooner it is left out where somebody cannot take all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// For the curious.
    Low,
    /// The usual course of things.
    Normal,
    /// Something to look at.
    High,
    /// Something that somebody must know. It is never sampled.
    Critical,
}

/// What was said of a route makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// No backend has this name.
    #[error("unknown backend {0:?}: write metrics, traces or logs")]
    UnknownBackend(String),
    /// No priority has this name.
    #[error("unknown priority {0:?}: write low, normal, high or critical")]
    UnknownPriority(String),
    /// A rate that is none.
    #[error("the sampling rate of {event} is {rate}: write a number from 0 to 1")]
    Rate {
        /// The event.
        event: EventId,
        /// What was said.
        rate: String,
    },
}

impl Backend {
    /// Every backend.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// The name in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::Metrics => 1,
            Self::Traces => 2,
            Self::Logs => 4,
        }
    }
}

impl FromStr for Backend {
    type Err = RouteError;

    /// The plural and the singular are the same.
    fn from_str(text: &str) -> Result<Self, RouteError> {
        match text {
            "metrics" | "metric" => Ok(Self::Metrics),
            "traces" | "trace" => Ok(Self::Traces),
            "logs" | "log" => Ok(Self::Logs),
            other => Err(RouteError::UnknownBackend(other.to_owned())),
        }
    }
}

impl FromStr for Priority {
    type Err = RouteError;

    fn from_str(text: &str) -> Result<Self, RouteError> {
        match text {
            "low" => Ok(Self::Low),
            "normal" => Ok(Self::Normal),
            "high" => Ok(Self::High),
            "critical" => Ok(Self::Critical),
            other => Err(RouteError::UnknownPriority(other.to_owned())),
        }
    }
}

/// Where one event goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    backends: u8,
    rate: f64,
    /// How much it matters.
    pub priority: Priority,
}

impl Route {
    /// To these, all of it.
    pub fn to(backends: &[Backend], priority: Priority) -> Self {
        let backends = backends.iter().fold(0, |bits, backend| bits | backend.bit());
        Self { backends, rate: 1.0, priority }
    }

    /// Whether it goes to `backend`.
    pub fn goes_to(&self, backend: Backend) -> bool {
        self.backends & backend.bit() != 0
    }

    /// Which part of it goes to traces and logs, from 0 to 1. Metrics always get all.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    pub(crate) fn bits(&self) -> u8 {
        self.backends
    }

    /// The sampling rate as a part of 2³²; beyond that everything.
    pub(crate) fn threshold(&self) -> u64 {
        if self.priority == Priority::Critical {
            return 1 << 32;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the rate is from 0 to 1"
        )]
        let threshold = (self.rate * 4_294_967_296.0) as u64;
        threshold
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backends = Backend::ALL.into_iter().filter(|backend| self.goes_to(*backend));
        let backends: Vec<_> = backends.map(Backend::as_str).collect();
        let backends = if backends.is_empty() { "nowhere".to_owned() } else { backends.join(", ") };
        write!(f, "{backends} ({:.1}% sampled)", self.rate * 100.0)
    }
}

/// Where all events go.
#[derive(Debug, Clone, PartialEq)]
pub struct Routes(Vec<Route>);

impl Default for Routes {
    /// As the catalog says.
    fn default() -> Self {
        Self(EventId::ALL.iter().map(|event| Route::to(event.backends(), event.priority())).collect())
    }
}

impl Routes {
    /// Nothing goes anywhere.
    pub fn nowhere() -> Self {
        Self(EventId::ALL.iter().map(|event| Route::to(&[], event.priority())).collect())
    }

    /// Where an event goes.
    pub fn of(&self, event: EventId) -> &Route {
        &self.0[event as usize]
    }

    /// Has an event go to these and no others.
    pub fn send(&mut self, event: EventId, backends: &[Backend]) {
        let route = &mut self.0[event as usize];
        *route = Route { rate: route.rate, ..Route::to(backends, route.priority) };
    }

    /// Has only a part of an event go to traces and logs. Metrics still get all.
    ///
    /// # Errors
    ///
    /// [`RouteError::Rate`] if the rate is not from 0 to 1.
    pub fn sample(&mut self, event: EventId, rate: f64) -> Result<(), RouteError> {
        if !(0.0..=1.0).contains(&rate) {
            return Err(RouteError::Rate { event, rate: rate.to_string() });
        }
        self.0[event as usize].rate = rate;
        Ok(())
    }

    /// Has an event matter so much from now on.
    pub fn rank(&mut self, event: EventId, priority: Priority) {
        self.0[event as usize].priority = priority;
    }

    /// The events that go to `backend`.
    pub fn to(&self, backend: Backend) -> impl Iterator<Item = EventId> {
        EventId::ALL.iter().copied().filter(move |event| self.of(*event).goes_to(backend))
    }

    /// A route in words.
    pub fn describe(&self, event: EventId) -> String {
        format!("{event} → {}", self.of(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// V7.
    #[test]
    fn a_route_is_told_in_one_line() {
        let mut routes = Routes::default();
        let event = EventId::TaskCompleted;
        routes.send(event, &[Backend::Metrics, Backend::Traces]);
        routes.sample(event, 0.75).expect("a rate");
        assert_eq!(routes.describe(event), "task.completed → traces, metrics (75.0% sampled)");
        routes.send(event, &[Backend::Logs]);
        routes.sample(event, 1.0).expect("a rate");
        assert_eq!(routes.describe(event), "task.completed → logs (100.0% sampled)");
        routes.send(event, &[]);
        assert_eq!(routes.describe(event), "task.completed → nowhere (100.0% sampled)");
    }

    /// V9.
    #[test]
    fn what_is_unknown_or_out_of_range_is_refused_with_the_remedy() {
        let error = "prints".parse::<Backend>().expect_err("unknown").to_string();
        assert_eq!(error, "unknown backend \"prints\": write metrics, traces or logs");
        for rate in [-0.1, 1.5, f64::NAN] {
            let error = Routes::default().sample(EventId::TaskFailed, rate).expect_err("no rate");
            assert!(error.to_string().contains("task.failed is"), "{error}");
        }
    }

    #[test]
    fn an_event_sent_elsewhere_leaves_where_it_went_before() {
        let mut routes = Routes::default();
        assert!(routes.to(Backend::Metrics).any(|event| event == EventId::TaskCompleted));
        routes.send(EventId::TaskCompleted, &[Backend::Logs]);
        assert!(routes.to(Backend::Metrics).all(|event| event != EventId::TaskCompleted));
        assert!(routes.to(Backend::Logs).any(|event| event == EventId::TaskCompleted));
    }
}
