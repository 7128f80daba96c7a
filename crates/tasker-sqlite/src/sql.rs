//! Every statement there is: each is a file in `queries`.

use std::sync::OnceLock;

macro_rules! statements {
    ($($name:ident = $file:literal,)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("../queries/", $file, ".sql"));)*

        /// Every statement with the name of its file, for the test that prepares them.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$(($file, $name),)*];
    };
}

/// The parameters of a statement, in order.
macro_rules! arguments {
    ($($value:expr),* $(,)?) => {{
        let mut arguments = sqlx::sqlite::SqliteArguments::default();
        $(sqlx::Arguments::add(&mut arguments, $value).map_err(sqlx::Error::Encode)?;)*
        arguments
    }};
}
pub(crate) use arguments;

statements! {
    IDENTIFY = "session/identify",
    OPEN_SESSION = "session/open",
    VACUUM = "session/vacuum",
    PREPARE_SCHEMA = "schema/prepare",
    LIST_MIGRATIONS = "schema/list",
    RECORD_MIGRATION = "schema/record",
    BEGIN = "batches/begin",
    COMMIT = "batches/commit",
    ROLLBACK = "batches/rollback",
    VERSION = "batches/version",
    REVOKE = "batches/revoke",
    REVOCATIONS = "batches/revocations",
    MEASURE = "batches/measure",
    CHECKPOINT = "batches/checkpoint",
    CALL_INSERT = "batches/insert",
    CALL_SETTLE = "batches/settle",
    CALL_RENEW = "batches/renew",
    CALL_CLAIM = "batches/claim",
    ADD_NAMESPACE = "namespaces/add",
    PAUSE_NAMESPACE = "namespaces/pause",
    RESUME_NAMESPACE = "namespaces/resume",
    READ_NAMESPACE = "namespaces/read",
    FIND_TEMPLATE = "templates/find",
    FIND_TEMPLATE_CONTENT = "templates/find_content",
    RETIRE_TEMPLATE = "templates/retire",
    REVIVE_TEMPLATE = "templates/revive",
    INSERT_TEMPLATE = "templates/insert",
    READ_TEMPLATE = "templates/read",
    LIST_TEMPLATES = "templates/list",
    FIND_PLAN = "plans/find",
    INSERT_PLAN = "plans/insert",
    READ_PLAN = "plans/read",
    LIST_LANES = "lanes/list",
    CHECK_TASKS = "tasks/check",
    INSERT_TASKS = "tasks/insert",
    FIND_TASK = "tasks/find",
    CHANGE_TASK = "tasks/change",
    PAUSE_TASK = "tasks/pause",
    RESUME_TASK = "tasks/resume",
    UPDATE_TASK = "tasks/update",
    READ_TASK = "tasks/read",
    LIST_TASKS = "tasks/list",
    COUNT_TASKS = "tasks/count",
    COUNT_LATE_TASKS = "tasks/late",
    PRUNE_TASKS = "tasks/prune",
    SETTLE_STEPS = "steps/settle",
    RENEW_LEASES = "steps/renew",
    CLAIM_STEPS = "steps/claim",
    FIND_STEP = "steps/find",
    END_STEP = "steps/end_one",
    END_OPEN_STEPS = "steps/end_open",
    PROMOTE_STEPS = "steps/promote",
    RETRY_STEPS = "steps/retry",
    UPDATE_STEP = "steps/update",
    READ_STEPS = "steps/read",
    READ_INPUTS = "steps/inputs",
    FIND_EXPIRED = "steps/expired",
    FIND_DEADLINES = "steps/deadlines",
    RECORD_TRANSITION = "transitions/record",
    READ_TRANSITIONS = "transitions/read",
    READ_HISTORY = "transitions/read_task",
    READ_HISTORIES = "tasks/read_histories",
    READ_STEP_HISTORY = "transitions/read_step",
    FIND_FEED_END = "transitions/end",
    HOLD_CURSOR = "cursors/hold",
    MOVE_CURSOR = "cursors/move",
    RELEASE_CURSOR = "cursors/release",
    LIST_CURSORS = "cursors/list",
    PUT_LOGS = "logs/put",
    READ_LOGS = "logs/read",
    BEAT = "workers/beat",
    LEAVE = "workers/leave",
    LIST_WORKERS = "workers/list",
}

/// A part of what a batch does. A round carries each at most once, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Begin,
    Check,
    Insert,
    Settle,
    Renew,
    Claim,
    Commit,
}

impl Part {
    const ALL: [Self; 7] =
        [Self::Begin, Self::Check, Self::Insert, Self::Settle, Self::Renew, Self::Claim, Self::Commit];

    const fn text(self) -> &'static str {
        match self {
            Self::Begin => BEGIN,
            Self::Check => CHECK_TASKS,
            Self::Insert => CALL_INSERT,
            Self::Settle => CALL_SETTLE,
            Self::Renew => CALL_RENEW,
            Self::Claim => CALL_CLAIM,
            Self::Commit => COMMIT,
        }
    }

    const fn bit(self) -> usize {
        1 << self as usize
    }
}

/// Which parts a round has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parts(usize);

impl Parts {
    pub(crate) fn add(&mut self, part: Part) {
        self.0 |= part.bit();
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether `part` would come after all that are there.
    pub(crate) const fn allows(self, part: Part) -> bool {
        self.0 < part.bit()
    }

    /// The parts as one text, which crosses to the thread of the connection once and is prepared once.
    pub(crate) fn script(self) -> &'static str {
        static SCRIPTS: [OnceLock<String>; 128] = [const { OnceLock::new() }; 128];
        SCRIPTS[self.0 % SCRIPTS.len()].get_or_init(|| {
            let parts = Part::ALL.into_iter().filter(|part| self.0 & part.bit() != 0);
            parts.map(|part| without_comments(part.text())).collect()
        })
    }
}

/// A statement without the lines that are for people.
fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("--")).fold(String::new(), |all, line| all + line + "\n")
}

#[cfg(test)]
mod tests;
