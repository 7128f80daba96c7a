//! Group commit: what gathers, what fails alone, and who gets which answer.

mod double;
mod replies;

use std::sync::Arc;
use std::time::Duration;

use double::{BAD, Double, UNAVAILABLE, command, commands, echo, settlement, settlements};
use tasker_store::{Batch, BatchReply, CommitReport, Committer, Settled, StoreError, Wake};
use tokio::task::JoinHandle;
use tokio::time::timeout;

type Answer = Result<BatchReply, StoreError>;

/// Asks without waiting for the answer; the request is in the queue when this returns.
async fn ask(committer: &Committer, batch: Batch) -> JoinHandle<Answer> {
    let committer = committer.clone();
    let (polled, was_polled) = tokio::sync::oneshot::channel();
    let asking = tokio::spawn(async move {
        let mut commit = std::pin::pin!(committer.commit(batch));
        let first = futures::poll!(&mut commit);
        let _ = polled.send(());
        match first {
            std::task::Poll::Ready(answer) => answer,
            std::task::Poll::Pending => commit.await,
        }
    });
    was_polled.await.expect("the request is made");
    asking
}

async fn answer(asking: JoinHandle<Answer>) -> Answer {
    timeout(Duration::from_secs(30), asking).await.expect("an answer in time").expect("no panic")
}

fn start(double: &Arc<Double>) -> Committer {
    Committer::start(Arc::clone(double) as _, Wake::default())
}

#[tokio::test]
async fn an_idle_store_commits_at_once() {
    let double = Double::new(1, 1);
    let asking = ask(&start(&double), commands(&["a"])).await;
    assert_eq!(double.next().await, "a");
    assert_eq!(answer(asking).await.expect("committed").commands, echo(&commands(&["a"])).commands);
}

#[tokio::test]
async fn requests_gather_while_a_commit_is_in_flight() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let mut asking = vec![ask(&committer, commands(&["a"])).await];
    assert_eq!(double.next().await, "a");
    for word in ["b", "c", "d"] {
        asking.push(ask(&committer, commands(&[word])).await);
    }
    double.let_through(2);
    assert_eq!(double.next().await, "b c d");
    for (asking, word) in asking.into_iter().zip(["a", "b", "c", "d"]) {
        assert_eq!(answer(asking).await.expect("committed").commands, echo(&commands(&[word])).commands);
    }
    assert_eq!(committer.commits(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_committed_is_counted_with_its_size_and_its_time() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let asking = [ask(&committer, commands(&["a", "b"])).await, ask(&committer, settlements(&[1, 2])).await];
    assert_eq!(committer.report(), CommitReport::default(), "nothing is committed yet");
    tokio::time::advance(Duration::from_millis(20)).await;
    double.let_through(1);
    answer(first).await.expect("committed");
    double.next().await;
    tokio::time::advance(Duration::from_secs(11)).await;
    double.let_through(2);
    for asking in asking {
        answer(asking).await.expect("committed");
    }
    committer.commit(commands(&[BAD])).await.expect_err("refused");
    let report = committer.report();
    assert_eq!((report.commits, report.rows, report.in_flight_nanoseconds), (2, 5, 11_020_000_000));
    assert_eq!(report.sizes, [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "one row, and two requests of two rows each");
    assert_eq!(report.times, [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn a_full_commit_leaves_the_rest_to_the_next() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let mut asking = vec![first];
    for word in ["a", "b", "c", "d", "e"] {
        asking.push(ask(&committer, commands(&[word; 400])).await);
    }
    double.let_through(9);
    let sizes = [double.next().await, double.next().await].map(|words| words.split(' ').count());
    assert_eq!(sizes, [1_200, 800], "no request is torn apart");
    for asking in asking {
        answer(asking).await.expect("committed");
    }
}

#[tokio::test]
async fn a_bad_request_fails_alone() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let mut asking = Vec::new();
    for words in [&["a"] as &[&str], &["b", BAD], &["c", "d"]] {
        asking.push(ask(&committer, commands(words)).await);
    }
    double.let_through(99);
    let commits = [double.next().await, double.next().await, double.next().await, double.next().await];
    assert_eq!(commits, ["a b bad c d", "a", "b bad", "c d"]);
    answer(first).await.expect("committed");
    let answers =
        [answer(asking.remove(0)).await, answer(asking.remove(0)).await, answer(asking.remove(0)).await];
    assert_eq!(answers[0].as_ref().expect("committed").commands, echo(&commands(&["a"])).commands);
    assert!(matches!(answers[1], Err(StoreError::Refused { .. })));
    assert_eq!(answers[2].as_ref().expect("committed").commands, echo(&commands(&["c", "d"])).commands);
}

#[tokio::test]
async fn a_bad_request_by_itself_is_tried_once() {
    let double = Double::new(9, 1);
    let committer = start(&double);
    let refused = committer.commit(commands(&[BAD])).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })));
    committer.commit(commands(&["a"])).await.expect("committed");
    assert_eq!([double.next().await, double.next().await], [BAD, "a"]);
    assert_eq!(committer.commits(), 1);
}

#[tokio::test]
async fn a_transient_error_reaches_everyone() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let asking = [
        ask(&committer, commands(&["a"])).await,
        ask(&committer, commands(&[UNAVAILABLE])).await,
        ask(&committer, commands(&[BAD])).await,
    ];
    double.let_through(9);
    answer(first).await.expect("committed");
    for asking in asking {
        assert!(matches!(answer(asking).await, Err(StoreError::Unavailable(_))));
    }
    committer.commit(commands(&["b"])).await.expect("the next commit is a new one");
    assert_eq!(double.next().await, "a unavailable bad");
    assert_eq!(double.next().await, "b", "nobody was tried by himself");
}

#[tokio::test]
async fn a_request_that_settles_what_another_settles_waits_for_the_next_commit() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let mut asking = vec![first];
    for attempts in [&[1, 2][..], &[3], &[2, 4], &[4], &[5]] {
        asking.push(ask(&committer, settlements(attempts)).await);
    }
    double.let_through(9);
    assert_eq!(double.next().await, "settle#1 settle#2 settle#3 settle#4 settle#5");
    assert_eq!(double.next().await, "settle#2 settle#4");
    for asking in asking {
        let reply = answer(asking).await.expect("committed");
        assert!(!reply.settled.contains(&Settled::Stale), "each is answered by the writer");
    }
}

#[tokio::test]
async fn of_one_attempt_twice_in_a_request_the_second_is_stale() {
    let double = Double::new(9, 1);
    let committer = start(&double);
    let batch = Batch {
        settlements: vec![settlement(1, 1), settlement(2, 1), settlement(1, 2), settlement(3, 1)],
        ..Batch::default()
    };
    let reply = committer.commit(batch).await.expect("committed");
    assert_eq!(double.next().await, "settle#1 settle#2 settle#3", "no key occurs twice");
    let places: Vec<_> = (0..).zip(&reply.settled).filter(|(_, one)| **one == Settled::Stale).collect();
    assert_eq!((reply.settled.len(), places), (4, vec![(2, &Settled::Stale)]));
}

#[tokio::test]
async fn what_was_put_off_does_not_wait_for_an_idle_writer() {
    let double = Double::new(0, 2);
    let committer = start(&double);
    let [one, two] = [ask(&committer, commands(&["one"])).await, ask(&committer, commands(&["two"])).await];
    assert_eq!([double.next().await, double.next().await], ["one", "two"]);
    let asking = [ask(&committer, settlements(&[1])).await, ask(&committer, settlements(&[1])).await];
    double.let_through(1);
    answer(one).await.expect("committed");
    assert_eq!(double.next().await, "settle#1", "the other is put off");
    double.let_through(1);
    answer(two).await.expect("committed");
    for _ in 0..9 {
        // The second writer comes to wait for the next request, which never comes.
        tokio::task::yield_now().await;
    }
    double.let_through(2);
    for asking in asking {
        answer(asking).await.expect("committed");
    }
    assert_eq!(double.next().await, "settle#1");
}

#[tokio::test]
async fn as_many_commits_are_in_flight_as_the_writer_allows() {
    let double = Double::new(0, 3);
    let committer = start(&double);
    let mut asking = Vec::new();
    for word in ["a", "b", "c"] {
        asking.push(ask(&committer, commands(&[word])).await);
        assert_eq!(double.next().await, word, "begun while the ones before are in flight");
    }
    for word in ["d", "e"] {
        asking.push(ask(&committer, commands(&[word])).await);
    }
    double.let_through(1);
    assert_eq!(double.next().await, "d e", "a fourth waits until one is through");
    double.let_through(9);
    for asking in asking {
        answer(asking).await.expect("committed");
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_disturb_the_others() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let gone = ask(&committer, commands(&["gone"])).await;
    let stays = ask(&committer, commands(&["stays"])).await;
    gone.abort();
    assert!(gone.await.is_err_and(|error| error.is_cancelled()));
    double.let_through(9);
    assert_eq!(double.next().await, "gone stays", "what was asked is committed");
    answer(first).await.expect("committed");
    assert_eq!(answer(stays).await.expect("committed").commands, echo(&commands(&["stays"])).commands);
}

#[tokio::test]
async fn a_request_that_was_never_polled_is_never_made() {
    let double = Double::new(9, 1);
    let committer = start(&double);
    drop(committer.commit(commands(&["never"])));
    committer.commit(commands(&["a"])).await.expect("committed");
    assert_eq!(double.next().await, "a");
}

#[tokio::test]
async fn what_was_asked_is_answered_after_the_last_handle_is_dropped() {
    let double = Double::new(0, 1);
    let committer = start(&double);
    let first = ask(&committer, commands(&["first"])).await;
    double.next().await;
    let second = ask(&committer, commands(&["second"])).await;
    drop(committer);
    double.let_through(9);
    answer(first).await.expect("committed");
    answer(second).await.expect("committed");
    let ended = async {
        while Arc::strong_count(&double) > 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), ended).await.expect("the writing task ends and lets go of the writer");
}

#[tokio::test]
async fn a_writer_that_panics_closes_the_store() {
    let double = Double::new(9, 1);
    let committer = start(&double);
    let closed = committer.commit(Batch { commands: vec![command("panic")], ..Batch::default() }).await;
    assert!(matches!(closed, Err(StoreError::Closed)));
    let closed = committer.commit(commands(&["a"])).await;
    assert!(matches!(closed, Err(StoreError::Closed)), "and does not leave later callers waiting");
}

#[tokio::test]
async fn a_request_for_nothing_is_answered_with_nothing() {
    let double = Double::new(1, 1);
    let reply = start(&double).commit(Batch::default()).await.expect("committed");
    assert!(reply.commands.is_empty() && reply.settled.is_empty() && reply.leases.is_empty());
}
