//! Reasons in words.

use tasker_core::State;

use super::reason::Reason;

impl Reason {
    /// The reason as what follows the step's name in a sentence.
    pub(super) fn in_words(&self, state: State) -> String {
        let because = |message: &Option<String>| match message {
            Some(message) => format!(" ({message})"),
            None => String::new(),
        };
        match self {
            Self::UnmetDependencies { steps } => {
                let steps: Vec<_> = steps.iter().map(|(name, state)| format!("{name} ({state})")).collect();
                format!("waits for {}", steps.join(", "))
            }
            Self::Backoff { until, attempt, message } => {
                format!("failed in attempt {attempt}{} and will be tried again at {until}", because(message))
            }
            Self::Scheduled { until } => format!("waits until {until}"),
            Self::NoWorker { handler, queue } => {
                format!("is ready, but no live worker offers the handler {handler:?} on queue {queue:?}")
            }
            Self::WaitingForWorker { since, workers } => {
                format!("is ready since {since} and waits for a free slot of {workers} worker(s)")
            }
            Self::TaskPaused(pause) => {
                format!("is held: the task is paused by {} since {}", pause.by, pause.at)
            }
            Self::NamespacePaused(pause) => {
                format!("is held: the namespace is paused by {} since {}", pause.by, pause.at)
            }
            Self::Leased { worker, worker_name, until, attempt } => {
                let worker = worker_name.clone().unwrap_or_else(|| worker.to_string());
                format!("is at work in attempt {attempt}: worker {worker} holds its lease until {until}")
            }
            Self::LeaseExpired { worker, worker_name, until, attempt, attempts_left } => {
                let worker = worker_name.clone().unwrap_or_else(|| worker.to_string());
                let next = match attempts_left {
                    0 => "that was its last attempt",
                    _ => "it will be given to another worker",
                };
                format!(
                    "was begun in attempt {attempt}, but worker {worker} has not renewed its lease, \
                     which ran out at {until}; {next}"
                )
            }
            Self::Exhausted { attempts, message } => {
                let all = match attempts {
                    1 => "its only attempt".to_owned(),
                    many => format!("all of its {many} attempts"),
                };
                format!("failed in {all}{}; retry or resolve it", because(message))
            }
            Self::PermanentFailure { message } => {
                format!("failed for good{}; retry or resolve it", because(message))
            }
            Self::Ended => format!("is {}", state.as_str().replace('_', " ")),
        }
    }
}
