//! All subscribers of one process.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tasker_core::{Clock, WorkerId};
use tasker_events::Events;
use tasker_store::{CursorStore, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::command::CommandReceiver;
use crate::courier::{Courier, words};
use crate::file::FileReceiver;
use crate::follower::{Follower, place_of};
use crate::journal::Journal;
use crate::patience::Patience;
use crate::receiver::Receiver;
use crate::report::{Standing, SubscriberReport, Tally};
use crate::settings::{ReceiverSettings, SettingsError, SubscriberSettings, check_names, check_paths};
use crate::webhook::WebhookReceiver;

/// Work that went well so long is taken to be sound: its next panic is its first.
const SOUND: Duration = Duration::from_mins(10);
/// All that is still to be done at the end gets so long.
const FAREWELL: Duration = Duration::from_secs(10);

/// What subscribers need of the process they run in.
#[derive(Clone)]
pub struct Surroundings {
    /// Whose feed they follow.
    pub store: Arc<dyn Store>,
    /// Where their places are kept; mostly the same store.
    pub cursors: Arc<dyn CursorStore>,
    /// Where it is told that one begins, stalls, recovers, or that its receiver refused something.
    pub events: Events,
    /// The clock of the process: it dates signatures and `Retry-After`.
    pub clock: Arc<dyn Clock>,
    /// Decides the jitter of waits, and the id by which this process holds places: different in every process.
    pub seed: u64,
    /// The variables of the process, as read at its start. Programs get those that are no secrets.
    pub environment: BTreeMap<String, String>,
    /// The folder that relative paths begin at, and that programs run in; that of the process if it is empty.
    pub base_dir: PathBuf,
}

/// The subscribers of one process, working until they are told to stop. Any number of processes may run the same ones.
///
/// None of them ends before: one that panics says so in the log, and begins anew after a pause that grows from a second
/// to a minute. Dropping this ends them without giving their places back.
pub struct Subscribers {
    followers: Vec<Follower>,
    work: JoinSet<()>,
    shutdown: CancellationToken,
}

impl Subscribers {
    /// Starts subscribers.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used; nothing is started then.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn start(
        subscribers: Vec<SubscriberSettings>,
        surroundings: &Surroundings,
    ) -> Result<Self, SettingsError> {
        check_names(&subscribers)?;
        check_paths(&subscribers)?;
        let mut rng = StdRng::seed_from_u64(surroundings.seed);
        let shutdown = CancellationToken::new();
        let followers = subscribers.into_iter().map(|settings| {
            let courier = courier(&settings, surroundings, StdRng::seed_from_u64(rng.random()))?;
            Ok(Follower {
                settings: Arc::new(settings),
                store: Arc::clone(&surroundings.store),
                cursors: Arc::clone(&surroundings.cursors),
                courier: Arc::new(courier),
                holder: WorkerId::new(surroundings.clock.now(), rng.random()),
                shutdown: shutdown.clone(),
            })
        });
        let followers = followers.collect::<Result<Vec<_>, SettingsError>>()?;
        let mut work = JoinSet::new();
        for follower in &followers {
            work.spawn(keep(follower.clone()));
        }
        Ok(Self { followers, work, shutdown })
    }

    /// How they are doing, in the order of the settings. Asks the store for the end of the feed and for all places.
    ///
    /// # Errors
    ///
    /// Only the store's.
    pub async fn reports(&self) -> Result<Vec<SubscriberReport>, StoreError> {
        if self.followers.is_empty() {
            return Ok(Vec::new());
        }
        let (Some(first), mut reports) = (self.followers.first(), self.counts()) else {
            return Ok(Vec::new());
        };
        let places = first.cursors.cursors().await?;
        let end = first.store.feed_end().await?;
        for report in &mut reports {
            let name = place_of(&report.name);
            report.position = places.iter().find(|place| place.name == name).map(|place| place.position);
            report.lag = report.position.map(|position| end.saturating_sub(position).max(0));
        }
        Ok(reports)
    }

    /// How they are doing as far as this process knows by itself: without positions and lags.
    pub fn counts(&self) -> Vec<SubscriberReport> {
        counts(&self.followers)
    }

    /// What tells the same, also after they have stopped.
    pub fn tallies(&self) -> Tallies {
        Tallies(self.followers.clone())
    }

    /// Lets attempts that have begun come to their end, for at most 5 s, gives the places back, and returns when all
    /// that is done: after 10 s in any case, be it that the store does not answer.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        let parted = async { while self.work.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, parted).await;
        self.work.shutdown().await;
    }
}

/// How subscribers are doing as far as this process knows by itself. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tallies(Vec<Follower>);

impl Tallies {
    /// Without positions and lags, in the order of the settings.
    pub fn counts(&self) -> Vec<SubscriberReport> {
        counts(&self.0)
    }
}

impl fmt::Debug for Tallies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tallies").field("subscribers", &self.0.len()).finish()
    }
}

fn counts(followers: &[Follower]) -> Vec<SubscriberReport> {
    let report = |follower: &Follower| {
        let settings = &follower.settings;
        follower.courier.tally.report(&settings.name, settings.receiver.kind())
    };
    followers.iter().map(report).collect()
}

impl fmt::Debug for Subscribers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.followers.iter().map(|follower| follower.settings.name.as_str()).collect();
        f.debug_tuple("Subscribers").field(&names).finish()
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

fn courier(
    settings: &SubscriberSettings,
    surroundings: &Surroundings,
    rng: StdRng,
) -> Result<Courier, SettingsError> {
    let dead_letters = settings.dead_letters.as_ref();
    Ok(Courier {
        subscriber: settings.name.clone(),
        receiver: receiver(settings, surroundings)?,
        dead_letters: dead_letters.map(|path| {
            let path = surroundings.base_dir.join(path);
            tokio::sync::Mutex::new(Journal { path, rotation: None })
        }),
        tally: Tally::default(),
        events: surroundings.events.clone(),
        clock: Arc::clone(&surroundings.clock),
        rng: Mutex::new(rng),
        closed_until: Mutex::default(),
    })
}

fn receiver(
    settings: &SubscriberSettings,
    surroundings: &Surroundings,
) -> Result<Box<dyn Receiver>, SettingsError> {
    let refused = |field: &str, problem: String| SettingsError {
        subscriber: settings.name.clone(),
        field: field.to_owned(),
        problem,
    };
    Ok(match &settings.receiver {
        ReceiverSettings::File(file) => Box::new(FileReceiver::new(file, &surroundings.base_dir)),
        ReceiverSettings::Webhook(webhook) => {
            let receiver =
                WebhookReceiver::new(webhook, &surroundings.base_dir, Arc::clone(&surroundings.clock));
            Box::new(receiver.map_err(|(field, problem)| refused(field, problem))?)
        }
        ReceiverSettings::Command(command) => Box::new(CommandReceiver::new(
            &settings.name,
            command,
            &surroundings.environment,
            surroundings.base_dir.clone(),
        )),
    })
}

/// Keeps a follower at work until the shutdown.
async fn keep(follower: Follower) {
    let mut patience = Patience::with_a_panic();
    loop {
        let begun = Instant::now();
        // What it had in hand goes with it, and comes again from its place.
        let Err(panic) = AssertUnwindSafe(follower.follow()).catch_unwind().await else { return };
        follower.courier.tally.stands(Standing::StandingBy);
        if begun.elapsed() >= SOUND {
            patience = Patience::with_a_panic();
        }
        let pause = patience.next();
        let panics = follower.courier.tally.panicked();
        let (subscriber, panic, pause_seconds) =
            (follower.settings.name.as_str(), words(&*panic), pause.as_secs());
        tracing::error!(
            subscriber,
            panic,
            panics,
            pause_seconds,
            "a subscriber panicked and begins anew after a pause"
        );
        if follower.shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
    }
}
