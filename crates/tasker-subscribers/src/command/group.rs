//! The process group of a program.

use std::sync::atomic::{AtomicI32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// The process group of a program. Whatever is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    /// The process that leads it; 0 when the group is gone, and its number may be another's.
    leader: AtomicI32,
}

impl Group {
    /// The group that `child` was made the leader of.
    pub(super) fn of(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or(0);
        Self { leader: AtomicI32::new(leader) }
    }

    /// Kills every process of the group; its leader has still to be waited for.
    pub(super) fn kill(&self) {
        end(self.leader.load(Ordering::Relaxed));
    }

    /// Kills what is left of the group after its leader was waited for.
    pub(super) fn sweep(&self) {
        end(self.leader.swap(0, Ordering::Relaxed));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.sweep();
    }
}

fn end(leader: i32) {
    if let Some(leader) = Pid::from_raw(leader) {
        // A group without processes is what is wanted.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}
