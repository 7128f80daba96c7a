//! The process group of a program.

use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// A program asked to end gets so long before it is killed.
const GRACE: Duration = Duration::from_secs(5);

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
        send(self.leader.load(Ordering::Relaxed), Signal::KILL);
    }

    /// Kills what is left of the group after its leader was waited for.
    pub(super) fn sweep(&self) {
        send(self.leader.swap(0, Ordering::Relaxed), Signal::KILL);
    }

    /// Asks every process of the group to end, and kills those that have not when the grace is over.
    pub(super) async fn terminate(&self, child: &mut Child) {
        send(self.leader.load(Ordering::Relaxed), Signal::TERM);
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            self.kill();
            // The killed leader must be waited for, or it stays as a zombie.
            let _ = child.wait().await;
        }
        self.sweep();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.sweep();
    }
}

fn send(leader: i32, signal: Signal) {
    if let Some(leader) = Pid::from_raw(leader) {
        // A group without processes is what is wanted.
        let _ = kill_process_group(leader, signal);
    }
}
