//! The statements, one file each, and messages made of them.

use std::sync::Arc;

use crate::literal::{Literal, NulInText};

/// A statement: a file of `queries/`, whose parameters are written `$1` to `$n`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statement {
    /// The file, without folder and ending: `noun/verb`.
    pub(crate) name: &'static str,
    text: &'static str,
}

macro_rules! statements {
    ($($name:ident = $path:literal,)*) => {
        $(pub(crate) const $name: Statement =
            Statement { name: $path, text: include_str!(concat!("../queries/", $path, ".sql")) };)*

        /// Every statement.
        #[cfg(test)]
        pub(crate) const ALL: &[Statement] = &[$($name,)*];
    };
}

statements! {
    CURSOR_HOLD = "cursor/hold",
    CURSOR_LIST = "cursor/list",
    CURSOR_MOVE = "cursor/move",
    CURSOR_RELEASE = "cursor/release",
    FEED_HISTORIES = "feed/histories",
    FEED_HISTORY = "feed/history",
    FEED_MARK = "feed/mark",
    FEED_NOTIFY = "feed/notify",
    FEED_PAGE = "feed/page",
    FEED_SNAPSHOT = "feed/snapshot",
    FEED_STEP_HISTORY = "feed/step_history",
    FEED_WRITERS = "feed/writers",
    LANE_LIST = "lane/list",
    LOG_PUT = "log/put",
    LOG_READ = "log/read",
    NAMESPACE_PAUSE = "namespace/pause",
    NAMESPACE_READ = "namespace/read",
    NAMESPACE_RESUME = "namespace/resume",
    SCHEMA_APPLIED = "schema/applied",
    SCHEMA_CHECK = "schema/check",
    SCHEMA_EXISTS = "schema/exists",
    SCHEMA_RECORD = "schema/record",
    SESSION_BY_INDEX = "session/by_index",
    SESSION_PROCESS = "session/process",
    STEP_CANCEL = "step/cancel",
    STEP_LIST = "step/list",
    STEP_RESOLVE = "step/resolve",
    STEP_UPDATE = "step/update",
    TASK_CANCEL = "task/cancel",
    TASK_COUNT = "task/count",
    TASK_LATE = "task/late",
    TASK_LIST = "task/list",
    TASK_LIST_NEWEST = "task/list_newest",
    TASK_LOCK = "task/lock",
    TASK_PAUSE = "task/pause",
    TASK_PRUNE = "task/prune",
    TASK_READ = "task/read",
    TASK_RESOLVE = "task/resolve",
    TASK_RESUME = "task/resume",
    TASK_RETRY = "task/retry",
    TASK_SUBMIT = "task/submit",
    TASK_UPDATE = "task/update",
    TEMPLATE_CURRENT = "template/current",
    TEMPLATE_FIND_PLAN = "template/find_plan",
    TEMPLATE_KEYS = "template/keys",
    TEMPLATE_MAKE_PLAN = "template/make_plan",
    TEMPLATE_PUT = "template/put",
    TEMPLATE_READ = "template/read",
    TEMPLATE_READ_PLAN = "template/read_plan",
    WORK_CLAIM = "work/claim",
    WORK_DEADLINES = "work/deadlines",
    WORK_EXPIRED = "work/expired",
    WORK_INPUTS = "work/inputs",
    WORK_RENEW = "work/renew",
    WORK_SETTLE = "work/settle",
    WORK_SETTLE_AND_CLAIM = "work/settle_and_claim",
    WORKER_BEAT = "worker/beat",
    WORKER_LEAVE = "worker/leave",
    WORKER_LIST = "worker/list",
}

/// One message to the server: statements that make one transaction.
#[derive(Debug, Default)]
pub(crate) struct Script {
    text: String,
    statements: usize,
}

impl Script {
    /// A message of one statement.
    pub(crate) fn of(statement: Statement, arguments: &[&dyn Literal]) -> Result<Self, NulInText> {
        let mut script = Self::default();
        script.add(statement, arguments)?;
        Ok(script)
    }

    /// Appends a statement, and tells which result will be its.
    pub(crate) fn add(
        &mut self,
        statement: Statement,
        arguments: &[&dyn Literal],
    ) -> Result<usize, NulInText> {
        tracing::trace!(statement = statement.name, "writing");
        for line in statement.text.lines().filter(|line| !line.starts_with("--")) {
            bind(&mut self.text, line, arguments)?;
            self.text.push('\n');
        }
        self.text.push(';');
        self.statements += 1;
        Ok(self.statements - 1)
    }

    /// How many results the message has.
    pub(crate) fn statements(&self) -> usize {
        self.statements
    }

    /// The message.
    pub(crate) fn into_text(self) -> Arc<String> {
        Arc::new(self.text)
    }
}

/// Appends a line with the parameters replaced. What is put in is not looked at again.
fn bind(out: &mut String, line: &str, arguments: &[&dyn Literal]) -> Result<(), NulInText> {
    let mut parts = line.split('$');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: usize = part[..digits].parse().expect("invariant: a $ in a statement is a parameter");
        arguments[number - 1].write(out)?;
        out.push_str(&part[digits..]);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
