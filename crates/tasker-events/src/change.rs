//! A change of where one event goes, as settings and operators ask for it.

use serde::Serialize;

use crate::catalog::EventId;
use crate::routes::{Backend, Priority, RouteError, Routes};

/// What is to become of the route of an event. What is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RouteChange {
    /// Where it goes, and nowhere else.
    pub backends: Option<Vec<Backend>>,
    /// Which part of it goes to traces and logs, from 0 to 1.
    pub sampling: Option<f64>,
    /// How much it matters.
    pub priority: Option<Priority>,
}

/// Why a route cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteChangeError {
    /// The backend or the rate is none.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// Metrics would be sampled, if anything would.
    #[error(
        "the sampling rate of {event} is {rate}, and it goes to no traces and no logs: metrics always count every event; \
         leave sampling out, or send the event to traces or logs as well"
    )]
    Metrics {
        /// The event.
        event: EventId,
        /// The rate.
        rate: String,
    },
    /// The event is one that is never sampled.
    #[error(
        "the sampling rate of {event} is {rate}: it is critical, and critical events are never sampled; leave it out, or \
         give the event another priority"
    )]
    Critical {
        /// The event.
        event: EventId,
        /// The rate.
        rate: String,
    },
}

impl RouteChange {
    /// Has `routes` be so for an event. If it is refused they stay as they were.
    ///
    /// # Errors
    ///
    /// If the rate is none, or could apply to nothing: metrics are never sampled, nor is an event that is critical, or is to be.
    pub fn apply(&self, event: EventId, routes: &mut Routes) -> Result<(), RouteChangeError> {
        let mut changed = routes.clone();
        if let Some(backends) = &self.backends {
            changed.send(event, backends);
        }
        if let Some(rate) = self.sampling {
            changed.sample(event, rate)?;
        }
        if let Some(priority) = self.priority {
            changed.rank(event, priority);
        }
        let (route, rate) = (changed.of(event), changed.of(event).rate());
        if rate < 1.0 && (self.sampling.is_some() || self.priority.is_some()) {
            let rate = rate.to_string();
            if route.priority == Priority::Critical {
                return Err(RouteChangeError::Critical { event, rate });
            }
            if self.sampling.is_some() && !route.goes_to(Backend::Traces) && !route.goes_to(Backend::Logs) {
                return Err(RouteChangeError::Metrics { event, rate });
            }
        }
        *routes = changed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: EventId = EventId::TaskCompleted;

    fn change(backends: &[Backend], sampling: f64) -> RouteChange {
        RouteChange { backends: Some(backends.to_vec()), sampling: Some(sampling), priority: None }
    }

    #[test]
    fn what_is_not_said_stays() {
        let mut routes = Routes::default();
        change(&[Backend::Logs, Backend::Metrics], 0.5).apply(EVENT, &mut routes).expect("a route");
        assert_eq!(routes.describe(EVENT), "task.completed → metrics, logs (50.0% sampled)");
        let change = RouteChange { backends: Some(vec![Backend::Metrics]), ..RouteChange::default() };
        change.apply(EVENT, &mut routes).expect("a route");
        assert_eq!(routes.describe(EVENT), "task.completed → metrics (50.0% sampled)");
        let change = RouteChange { sampling: Some(1.0), ..RouteChange::default() };
        change.apply(EVENT, &mut routes).expect("a route");
        assert_eq!(routes.describe(EVENT), "task.completed → metrics (100.0% sampled)");
    }

    #[test]
    fn an_event_that_is_made_critical_is_not_sampled_and_one_that_no_longer_is_may_be() {
        let mut routes = Routes::default();
        let rank = |priority| RouteChange { priority: Some(priority), ..RouteChange::default() };
        change(&[Backend::Logs], 0.5).apply(EVENT, &mut routes).expect("a route");
        let refused = rank(Priority::Critical).apply(EVENT, &mut routes).expect_err("refused").to_string();
        assert!(refused.contains("critical events are never sampled"), "{refused}");
        assert_eq!(routes.of(EVENT).priority, Priority::Normal);
        rank(Priority::Low).apply(EVENT, &mut routes).expect("a route");
        assert_eq!(routes.describe(EVENT), "task.completed → logs (50.0% sampled)");
        assert_eq!(routes.of(EVENT).priority, Priority::Low);
        let failed = EventId::SubscriberFailed;
        let both = RouteChange { sampling: Some(0.5), ..rank(Priority::High) };
        both.apply(failed, &mut routes).expect("a route");
        assert!((routes.of(failed).rate() - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_rate_that_could_only_apply_to_metrics_or_to_critical_events_is_refused() {
        let mut routes = Routes::default();
        let refused =
            change(&[Backend::Metrics], 0.5).apply(EVENT, &mut routes).expect_err("refused").to_string();
        assert!(refused.contains("metrics always count every event"), "{refused}");
        let event = EventId::SubscriberFailed;
        let refused =
            change(&[Backend::Logs], 0.5).apply(event, &mut routes).expect_err("refused").to_string();
        assert!(refused.contains("critical events are never sampled"), "{refused}");
        let refused =
            change(&[Backend::Logs], 1.5).apply(EVENT, &mut routes).expect_err("refused").to_string();
        assert!(refused.contains("write a number from 0 to 1"), "{refused}");
        assert_eq!(routes, Routes::default());
    }
}
