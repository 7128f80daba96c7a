//! Costs that must not grow: with what nobody asks for, with what has ended, with the size of a task.

use sqlx::PgConnection;
use support::{ask, connection, execute, plan, store, submit, texts};
use tasker_postgres::testing::TestDatabase;
use tasker_store::{Late, QueueDepth, SettleRequest, WorkStore};

mod support;

/// How many steps there are that a claim must not look at.
const MANY: usize = 1_000_000;

/// Has the server know what the tables hold.
const ANALYZE: &str = "vacuum analyze tasker.steps, tasker.tasks";

/// How many pages a statement touches. What is called within a function counts. Where the server takes statistics in
/// between, it reads its catalog anew and plans again: what is asked for is the least of three times.
async fn pages(connection: &mut PgConnection, sql: &str) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..3 {
        least = least.min(pages_of_plan(&plan_of(connection, "", sql).await));
    }
    least
}

/// How the server went about a statement, and what it cost, after another statement of the same transaction.
async fn plan_of(connection: &mut PgConnection, before: &str, sql: &str) -> Vec<String> {
    execute(connection, &format!("begin; {before}")).await;
    // Once for the plans and the caches of this session.
    texts(connection, sql).await;
    execute(connection, &format!("rollback; begin; {before}")).await;
    let lines =
        texts(connection, &format!("explain (analyze, buffers, timing off, summary off) {sql}")).await;
    execute(connection, "rollback").await;
    lines
}

fn pages_of_plan(lines: &[String]) -> u64 {
    let buffers = lines.iter().find(|line| line.contains("Buffers:")).expect("a count of buffers");
    let count = |word: &str| -> u64 {
        let after = buffers.split_once(word).map(|(_, after)| after);
        let digits = after.map(|after| after.chars().take_while(char::is_ascii_digit).collect::<String>());
        digits.map_or(0, |digits| digits.parse().expect("a number"))
    };
    count("shared hit=") + count("read=")
}

/// Adds ready or finished steps to a lane, as rows.
async fn fill(connection: &mut PgConnection, lane: &str, finished: bool) {
    let (state, ended, results, unfinished) =
        if finished { ("complete", "now()", "'null'", 0) } else { ("pending", "null", "null", 1_000) };
    let sql = format!(
        "insert into tasker.tasks (id, plan_id, unfinished, active, state, started_at, ended_at, requested_at, \
             initiator, source_system, reason, tags, bypass_steps, context)
         select gen_random_uuid(), 1, {unfinished}, {unfinished}, '{state}', now(), {ended}, now(), '', '', '{lane}', \
             '{{}}', '{{}}', '{{}}'
         from generate_series(1, {tasks});
         insert into tasker.steps (task_id, ordinal, lane_id, ready_at, retry_limit, attempts, parents, unmet, \
             state, held, ended_at, results)
         select t.id, n, l.id, case when {finished} then null else now() - interval '1 hour' end, 3, 0, 0, 0, \
             '{state}', false, {ended}, {results}
         from tasker.tasks t, generate_series(0, 999) n, tasker.lanes l
         where t.reason = '{lane}' and l.handler = '{lane}';",
        tasks = MANY / 1_000,
    );
    execute(connection, &sql).await;
}

fn claim(handler: &str) -> String {
    format!(
        "select * from tasker.claim(null, gen_random_uuid(), '{{default}}', '{{{handler}}}', 10, 60000000, 0, null)"
    )
}

#[tokio::test]
async fn a_claim_costs_the_same_beside_a_million_ready_and_a_million_finished_steps() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let asked = plan(&store, "a -> b").await;
    for handler in ["idle", "unasked", "finished"] {
        plan(&store, &format!("{handler}: x{{handler={handler}}}")).await;
    }
    submit(&store, asked, 20).await;
    let mut connection = connection(&database).await;
    let before = (pages(&mut connection, &claim("run")).await, pages(&mut connection, &claim("idle")).await);
    fill(&mut connection, "unasked", false).await;
    fill(&mut connection, "finished", true).await;
    // Without statistics of the new rows, and with them.
    for prepare in ["select 1", "vacuum analyze tasker.steps, tasker.tasks"] {
        execute(&mut connection, prepare).await;
        let mut fresh = support::connection(&database).await;
        let after = (pages(&mut fresh, &claim("run")).await, pages(&mut fresh, &claim("idle")).await);
        // Indexes are a few levels deeper.
        assert!(after.0 <= before.0 * 2, "claiming ten: {before:?} pages became {after:?}");
        assert!(after.1 <= before.1 + 10, "claiming none: {before:?} pages became {after:?}");
    }
    let plan = texts(
        &mut connection,
        "explain select * from tasker.steps where lane_id = 1 and ready_at <= now() and not held \
         order by ready_at, task_id, ordinal limit 10 for no key update skip locked",
    );
    let plan = plan.await.join("\n");
    assert!(plan.contains("Index Scan using steps_claimable") && !plan.contains("Sort"), "{plan}");
}

const BY_INDEX: &str = include_str!("../queries/session/by_index.sql");

/// How the lanes are listed.
async fn plan_of_lanes(connection: &mut PgConnection) -> Vec<String> {
    let list = include_str!("../queries/lane/list.sql").replace("$1", "null");
    plan_of(connection, BY_INDEX, &list.replace("$2", &QueueDepth::COUNTED.to_string())).await
}

#[tokio::test]
async fn a_backlog_of_a_million_steps_is_counted_to_its_limit_beside_a_million_finished_ones() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let asked = plan(&store, "a -> b").await;
    for handler in ["unasked", "finished"] {
        plan(&store, &format!("{handler}: x{{handler={handler}}}")).await;
    }
    submit(&store, asked, 20).await;
    store.claim(ask(10)).await.expect("claimed");
    let mut connection = connection(&database).await;
    let before = pages_of_plan(&plan_of_lanes(&mut connection).await);
    fill(&mut connection, "unasked", false).await;
    fill(&mut connection, "finished", true).await;
    // Without statistics of the new rows, and with them.
    for (prepare, most) in [("select 1", QueueDepth::COUNTED.into()), (ANALYZE, 200)] {
        execute(&mut connection, prepare).await;
        let lines = plan_of_lanes(&mut support::connection(&database).await).await;
        let (after, plan) = (pages_of_plan(&lines), lines.join("\n"));
        // What is read are rows of the table, until it is known that all transactions see them, and their index.
        assert!(after <= before + most + 500, "{before} pages became {after}: {plan}");
        assert!(plan.contains("using steps_claimable") && plan.contains("using steps_by_lease"), "{plan}");
        assert!(!plan.contains("Seq Scan") && !plan.contains("Bitmap"), "{plan}");
    }
}

#[tokio::test]
async fn late_tasks_are_counted_to_their_limit_and_begun_and_finished_ones_not_looked_at() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    plan(&store, "a").await;
    let mut connection = connection(&database).await;
    let tasks = "insert into tasker.tasks (id, plan_id, unfinished, active, state, started_at, ended_at, requested_at, \
             initiator, source_system, reason, tags, bypass_steps, context)
         select gen_random_uuid(), 1, unfinished, 0, state::tasker.state, now(), case when state = 'complete' then now() end, \
             now(), '', '', '', '{}', '{}', '{}'
         from generate_series(1, 50000),
           (values ('pending', 1), ('in_progress', 1), ('complete', 0)) as kind (state, unfinished)";
    execute(&mut connection, tasks).await;
    let count =
        include_str!("../queries/task/late.sql").replace("$1", "'ffffffff-ffff-7fff-bfff-fffffff00000'");
    let count = count.replace("$2", &Late::LOOKED_AT.to_string()).replace("$3", &Late::COUNTED.to_string());
    for prepare in ["select 1", ANALYZE] {
        execute(&mut connection, prepare).await;
        let plan = plan_of(&mut support::connection(&database).await, BY_INDEX, &count).await;
        let scan = plan.iter().find(|line| line.contains(" on tasks t")).expect("tasks are read");
        let is_bounded =
            scan.contains("Index Scan using tasks_by_state") && scan.contains("actual rows=10000");
        assert!(is_bounded, "{}", plan.join("\n"));
    }
}

/// The pages that settling and claiming one step touches, in the middle of a task.
async fn pages_of_a_hop(text: &str) -> u64 {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let plan = plan(&store, text).await;
    let task = submit(&store, plan, 1).await.remove(0);
    let mut leases = store.claim(ask(1)).await.expect("claimed");
    for _ in 0..3 {
        let settlements = leases.into_iter().map(|lease| lease.complete(serde_json::Value::Null)).collect();
        let request = SettleRequest { settlements, claim: Some(ask(1)) };
        leases = store.settle(request).await.expect("settled").leases;
    }
    let lease = leases.remove(0);
    let sql = format!(
        "select * from tasker.settle(null, '{{{task}}}', '{{{}}}', '{{{}}}', '{{{}}}', '{{complete}}', null, null, null)",
        lease.key.step.ordinal(),
        lease.key.attempt,
        lease.worker,
    );
    pages(&mut connection(&database).await, &sql).await
}

#[tokio::test]
async fn a_step_of_a_large_task_costs_what_a_step_of_a_small_one_costs() {
    let chain = |length: usize| (0..length).map(|step| format!("s{step}")).collect::<Vec<_>>().join(" -> ");
    let (small, large) = (pages_of_a_hop(&chain(10)).await, pages_of_a_hop(&chain(10_000)).await);
    assert!(large <= small * 2, "{small} pages became {large}");
}

#[tokio::test]
async fn a_beat_costs_the_same_beside_many_dead_workers() {
    let database = TestDatabase::create().await;
    store(&database).await;
    let mut connection = connection(&database).await;
    let dead = |count: usize| {
        format!(
            "insert into tasker.workers (id, name, queues, handlers, concurrency, started_at, seen_at, draining)
             select gen_random_uuid(), 'dead', '{{}}', '{{}}', 1, now(), now() - interval '2 days', false
             from generate_series(1, {count})"
        )
    };
    let beat =
        "select tasker.beat(null, gen_random_uuid(), 'alive', '{}', '{}', 1, 0, false, 86400000000, 100)";
    execute(&mut connection, &dead(200)).await;
    let before = pages(&mut connection, beat).await;
    execute(&mut connection, &dead(100_000)).await;
    let after = pages(&mut support::connection(&database).await, beat).await;
    // Those removed stand in other pages, and the indexes are a few levels deeper.
    assert!(after <= before + 500, "{before} pages became {after}");
}

#[tokio::test]
async fn pruning_reads_only_what_it_removes() {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let asked = plan(&store, "a").await;
    plan(&store, "finished: x{handler=finished}").await;
    submit(&store, asked, 5).await;
    let mut connection = connection(&database).await;
    let prune = "select * from tasker.prune(null, 3600000000, 3600000000, 100)";
    let before = pages(&mut connection, prune).await;
    fill(&mut connection, "finished", true).await;
    execute(&mut connection, "vacuum analyze tasker.steps, tasker.tasks").await;
    let mut fresh = support::connection(&database).await;
    let after = pages(&mut fresh, prune).await;
    assert!(after <= before + 20, "{before} pages became {after}");
}

/// The pages that claiming the next step touches, for those who want steps of one task only: near the beginning of a
/// task of many steps side by side, and near its end.
async fn pages_of_a_claim_for_one_task(steps: usize) -> (u64, u64) {
    let database = TestDatabase::create().await;
    let store = store(&database).await;
    let names: Vec<_> = (0..steps).map(|step| format!("s{step}")).collect();
    let plan = plan(&store, &names.join(", ")).await;
    let task = submit(&store, plan, 1).await.remove(0);
    let sql = format!(
        "select * from tasker.claim(null, gen_random_uuid(), '{{default}}', '{{run}}', 1, 60000000, 0, '{task}')"
    );
    let mut connection = connection(&database).await;
    // While the server looks at a table for its statistics, nothing is vacuumed of what it might see.
    for table in ["steps", "tasks", "transitions"] {
        execute(&mut connection, &format!("alter table tasker.{table} set (autovacuum_enabled = off)")).await;
    }
    let first = pages(&mut connection, &sql).await;
    for _ in 0..steps / 100 {
        let leases = store.claim(ask(99)).await.expect("claimed");
        let settlements = leases.into_iter().map(|lease| lease.complete(serde_json::Value::Null)).collect();
        store.settle(SettleRequest { settlements, claim: None }).await.expect("settled");
    }
    execute(&mut connection, "vacuum tasker.steps").await;
    (first, pages(&mut connection, &sql).await)
}

#[tokio::test]
async fn a_claim_for_a_large_task_costs_what_one_for_a_small_task_costs() {
    let (small, large) =
        (pages_of_a_claim_for_one_task(100).await, pages_of_a_claim_for_one_task(10_000).await);
    assert!(large.0 <= small.0 * 2 && large.1 <= small.1 * 2, "{small:?} pages became {large:?}");
}
