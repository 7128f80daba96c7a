//! What storage must promise.
//!
//! The waist between workers and engine has three verbs, all on batches: [`WorkStore::claim`],
//! [`WorkStore::renew`] and [`WorkStore::settle`], which returns the next leases, so that a chain of
//! steps costs one commit per hop. The other traits are as narrow: [`TaskStore`] takes tasks and
//! commands, [`TemplateStore`] keeps recipes, [`ReadStore`] answers questions, [`FeedStore`] tells what
//! happened, [`UpkeepStore`] serves the agents, [`CursorStore`] keeps the places of those who follow the feed, and
//! [`LogStore`] the lines that attempts log. [`Store`] is all of them.
//!
//! An adapter implements [`BatchWriter`], whose one method applies a whole batch of requests in one
//! transaction; a [`Committer`] gathers the requests of all callers while a commit is in flight. [`memory`] is the reference: the shortest statement of what each request means.
//!
//! This crate knows no SQL, no handler and no network.

mod batch;
mod command;
mod commits;
mod cursor;
mod error;
mod feed;
mod group;
mod log;
pub mod memory;
mod record;
mod submit;
mod template;
mod traits;
mod wake;
mod work;
mod worker;

#[cfg(feature = "conformance")]
pub mod conformance;

pub use batch::{Batch, BatchReply, BatchWriter, Renewal};
pub use command::{Attempts, Command, CommandError, Done, Target};
pub use commits::CommitReport;
pub use cursor::{Cursor, CursorRecord};
pub use error::{Inconsistency, StoreError};
pub use feed::{Cause, FeedPage, Transition};
pub use group::{Committer, Gathered};
pub use log::{AttemptLog, LogLine};
pub use record::{
    Inputs, Late, Page, Pause, PruneReport, QueueDepth, Retention, StepRecord, TaskBrief, TaskCount,
    TaskFilter, TaskHistory, TaskRecord, TaskSort,
};
pub use submit::{Identity, NewTask, Origin, SubmitError, Submitted};
pub use template::{
    PlanId, PutTemplate, StoredPlan, StoredTemplate, TemplateConflict, TemplateId, WhenTaken,
};
pub use traits::{
    CursorStore, Deadlines, FeedStore, LogStore, ReadStore, Store, TaskStore, TemplateStore, UpkeepStore,
    WorkStore,
};
pub use wake::Wake;
pub use work::{
    ClaimRequest, Expired, Guard, Lease, Renewed, SettleReply, SettleRequest, Settled, Settlement, Verdict,
};
pub use worker::WorkerRecord;
