//! When two submissions are the same task.

use std::time::Duration;

use tasker_core::{OnDuplicate, TaskId};

use crate::conformance::bench::Bench;
use crate::record::Retention;
use crate::submit::{Identity, NewTask, SubmitError, Submitted};

const MINUTE: Option<Duration> = Some(Duration::from_mins(1));

fn refusing(hash: &str, window: Option<Duration>) -> Identity {
    Identity { hash: hash.to_owned(), window, on_duplicate: OnDuplicate::Refuse }
}

fn returning(hash: &str, window: Option<Duration>) -> Identity {
    Identity { hash: hash.to_owned(), window, on_duplicate: OnDuplicate::ReturnExisting }
}

async fn draft(bench: &Bench, identity: Identity) -> NewTask {
    NewTask { identity: Some(identity), ..bench.draft_of("a").await }
}

async fn submit(bench: &Bench, identity: Identity) -> Result<Submitted, SubmitError> {
    let submitted = bench.try_submit(vec![draft(bench, identity).await]).await?;
    Ok(submitted[0])
}

async fn create(bench: &Bench, identity: Identity) -> TaskId {
    bench.create(draft(bench, identity).await).await
}

fn duplicate_of(existing: TaskId) -> Result<Submitted, SubmitError> {
    Err(SubmitError::Duplicate { index: 0, existing })
}

/// C20.
pub(crate) async fn without_an_identity_equal_tasks_are_two(bench: &Bench) {
    let (one, two) = (bench.submit("a").await, bench.submit("a").await);
    assert_ne!(one, two);
    assert_eq!(bench.task(one).await.identity_hash, None);
}

/// C19.
pub(crate) async fn the_second_of_two_equal_tasks_is_refused(bench: &Bench) {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let first = create(bench, refusing(hash, MINUTE)).await;
    assert_eq!(submit(bench, refusing(hash, MINUTE)).await, duplicate_of(first));
    assert_eq!(bench.all_tasks().await.len(), 1);
    assert_eq!(bench.task(first).await.identity_hash.as_deref(), Some(hash));
    create(bench, refusing("another", MINUTE)).await;
}

pub(crate) async fn an_equal_task_is_returned_where_that_is_asked(bench: &Bench) {
    let first = create(bench, returning("key", None)).await;
    assert_eq!(submit(bench, returning("key", None)).await, Ok(Submitted::Existing(first)));
    assert_eq!(bench.all_tasks().await.len(), 1);
    assert_eq!(submit(bench, refusing("key", None)).await, duplicate_of(first), "each says what it wants");
}

pub(crate) async fn equal_tasks_in_one_submission_are_duplicates(bench: &Bench) {
    let one = draft(bench, returning("key", MINUTE)).await;
    let two = draft(bench, returning("key", MINUTE)).await;
    let three = draft(bench, refusing("other", MINUTE)).await;
    let four = draft(bench, refusing("other", MINUTE)).await;
    let submitted = bench.try_submit(vec![one.clone(), two.clone()]).await;
    assert_eq!(submitted, Ok(vec![Submitted::Created(one.id), Submitted::Existing(one.id)]));
    let submitted = bench.try_submit(vec![three.clone(), four]).await;
    assert_eq!(submitted, Err(SubmitError::Duplicate { index: 1, existing: three.id }));
    assert_eq!(bench.all_tasks().await.len(), 1);
}

/// The window ends a minute after the first was made, and not at the turn of a clock minute.
pub(crate) async fn a_window_ends_when_its_time_has_passed(bench: &Bench) {
    let first = create(bench, refusing("key", MINUTE)).await;
    bench.advance(59);
    assert_eq!(submit(bench, refusing("key", MINUTE)).await, duplicate_of(first));
    bench.advance(1);
    let second = create(bench, refusing("key", MINUTE)).await;
    bench.advance(59);
    assert_eq!(submit(bench, refusing("key", MINUTE)).await, duplicate_of(second));
}

pub(crate) async fn the_window_is_that_of_the_later_submission(bench: &Bench) {
    let first = create(bench, refusing("key", None)).await;
    bench.advance(3600);
    assert_eq!(submit(bench, refusing("key", None)).await, duplicate_of(first));
    create(bench, refusing("key", MINUTE)).await;
}

/// The hosts that ask have clocks of their own.
pub(crate) async fn a_window_counts_by_the_clock_of_the_store(bench: &Bench) {
    let first = create(bench, refusing("key", MINUTE)).await;
    let hour = Duration::from_hours(1);
    for requested_at in [bench.now().plus(hour), bench.now().minus(hour)] {
        let draft = NewTask { requested_at, ..draft(bench, refusing("key", MINUTE)).await };
        let submitted = bench.try_submit(vec![draft]).await;
        assert_eq!(submitted, Err(SubmitError::Duplicate { index: 0, existing: first }));
    }
    bench.advance(60);
    let requested_at = bench.task(first).await.requested_at;
    let late = NewTask { requested_at, ..draft(bench, refusing("key", MINUTE)).await };
    bench.create(late).await;
}

pub(crate) async fn the_newest_equal_task_is_the_one_named(bench: &Bench) {
    create(bench, refusing("key", MINUTE)).await;
    bench.advance(60);
    let second = create(bench, refusing("key", MINUTE)).await;
    assert_eq!(submit(bench, returning("key", None)).await, Ok(Submitted::Existing(second)));
}

pub(crate) async fn without_a_window_the_end_of_a_task_does_not_free_its_identity(bench: &Bench) {
    let first = create(bench, refusing("key", None)).await;
    bench.complete_everything().await;
    bench.advance(1_000_000);
    assert_eq!(submit(bench, refusing("key", None)).await, duplicate_of(first));
}

pub(crate) async fn pruning_a_task_frees_its_identity(bench: &Bench) {
    let first = create(bench, refusing("key", None)).await;
    bench.complete_everything().await;
    let at_once = Retention { ended: Duration::ZERO, failed: Duration::ZERO };
    bench.store.prune(at_once, 10).await.expect("a round of pruning");
    let draft = NewTask { id: first, ..draft(bench, refusing("other", None)).await };
    bench.create(draft).await;
    create(bench, refusing("key", None)).await;
}

pub(crate) async fn a_refused_submission_leaves_its_identities_free(bench: &Bench) {
    let one = draft(bench, refusing("key", None)).await;
    let submitted = bench.try_submit(vec![one.clone(), one.clone()]).await;
    assert_eq!(submitted, Err(SubmitError::IdTaken { index: 1, id: one.id }), "the id is looked at first");
    create(bench, refusing("key", None)).await;
}

pub(crate) async fn a_returned_duplicate_does_not_disturb_its_neighbours(bench: &Bench) {
    let first = create(bench, returning("key", None)).await;
    let (one, two, three) = (
        bench.draft_of("a").await,
        draft(bench, returning("key", None)).await,
        draft(bench, returning("other", None)).await,
    );
    let expected = [Submitted::Created(one.id), Submitted::Existing(first), Submitted::Created(three.id)];
    assert_eq!(bench.try_submit(vec![one, two, three]).await, Ok(expected.to_vec()));
    assert_eq!(bench.all_tasks().await.len(), 3);
}

/// C21.
pub(crate) async fn of_many_equal_tasks_at_once_exactly_one_is_made(bench: &Bench) {
    let mut drafts = Vec::new();
    for _ in 0..32 {
        drafts.push(draft(bench, refusing("key", MINUTE)).await);
    }
    let submissions = drafts.into_iter().map(|draft| bench.store.submit(vec![draft]));
    let answers = futures::future::join_all(submissions).await;
    let answers = answers.into_iter().map(|answer| answer.expect("the store takes a submission"));
    let (made, refused): (Vec<_>, Vec<_>) = answers.partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 31));
    let existing = bench.all_tasks().await[0].id;
    assert!(refused.iter().all(|answer| *answer == Err(SubmitError::Duplicate { index: 0, existing })));
}
