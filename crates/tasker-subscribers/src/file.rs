//! `file`: one line for each event, in the order of the feed, on the disk before the next is read.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

use crate::journal::{Journal, Rotation};
use crate::receiver::{Manner, Order, Receiver, Verdict};
use crate::settings::FileSettings;
use crate::wire::Notice;

/// So many lines reach the disk together.
const BATCH: usize = 256;

/// A file that takes events.
pub(crate) struct FileReceiver {
    journal: Journal,
}

impl FileReceiver {
    pub(crate) fn new(settings: &FileSettings, base_dir: &Path) -> Self {
        let rotation = settings.rotate_bytes.map(|bytes| Rotation { bytes, keep: settings.keep });
        Self { journal: Journal { path: base_dir.join(&settings.path), rotation } }
    }
}

#[async_trait]
impl Receiver for FileReceiver {
    async fn take(&self, notices: &[Arc<Notice>]) -> Verdict {
        let lines = notices.iter().flat_map(|notice| [notice.body.as_slice(), b"\n"]).collect::<Vec<_>>();
        match self.journal.append(lines.concat()).await {
            Ok(()) => Verdict::Taken,
            Err(error) => {
                let path = self.journal.path.display();
                Verdict::not_yet(format!("{path} cannot be written: {error}"))
            }
        }
    }

    fn manner(&self) -> Manner {
        Manner { in_flight: 1, batch: BATCH, order: Order::OfAll }
    }
}
