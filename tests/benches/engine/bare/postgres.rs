//! On PostgreSQL: two connections, one function that gets lists of keys, locks the rows and writes them, by as many
//! statements as the engine needs.

use std::time::{Duration, Instant};

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::Wave;

const FUNCTION: &str = "
create or replace function bare(these uuid[], ordinals integer[], children integer[], is_first boolean, left_over integer)
returns void language plpgsql
set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare worker uuid := '0199c2a4-5b1e-7c3d-9a4f-2e6b1c800000';
begin
  if is_first then
    update tasker.tasks set state = 'in_progress', started_at = now() where id = any (these);
    insert into tasker.transitions (at, task_id, from_state, to_state, cause)
    select now(), t, 'pending', 'in_progress', 'started' from unnest(these) t;
  end if;
  perform from tasker.steps where task_id = any (these) and ordinal = any (ordinals) for no key update;
  update tasker.steps set state = 'in_progress', attempts = attempts + 1, ready_at = null, worker_id = worker,
    lease_until = now(), started_at = now(), ended_at = null
  where task_id = any (these) and ordinal = any (ordinals);
  insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause, by)
  select now(), t, o, 1, 'pending', 'in_progress', 'claimed', worker::text from unnest(these) t, unnest(ordinals) o;
  perform from tasker.tasks where id = any (these) for no key update;
  update tasker.steps set state = 'complete', worker_id = null, lease_until = null, ended_at = now(), results = 'null'
  where task_id = any (these) and ordinal = any (ordinals);
  insert into tasker.transitions (at, task_id, ordinal, attempt, from_state, to_state, cause)
  select now(), t, o, 1, 'in_progress', 'complete', 'completed' from unnest(these) t, unnest(ordinals) o;
  if cardinality(children) > 0 then
    update tasker.steps set unmet = 0, ready_at = now() where task_id = any (these) and ordinal = any (children);
    update tasker.tasks set unfinished = left_over, active = cardinality(children) where id = any (these);
  else
    update tasker.tasks set unfinished = 0, active = 0, state = 'complete', ended_at = now() where id = any (these);
    insert into tasker.transitions (at, task_id, from_state, to_state, cause)
    select now(), t, 'in_progress', 'complete', 'completed' from unnest(these) t;
  end if;
end $$";

pub(crate) async fn run(url: &str, [first, second]: [Vec<Wave>; 2]) -> Result<Duration> {
    let (one, two) = (prepared(url).await?, prepared(url).await?);
    let begun = Instant::now();
    tokio::try_join!(write_all(one, &first), write_all(two, &second))?;
    Ok(begun.elapsed())
}

/// How long each wave took, from its sending to the end of its commit.
pub(crate) async fn times(url: &str, waves: &[Wave]) -> Result<Vec<Duration>> {
    write_all(prepared(url).await?, waves).await
}

/// A connection, and the ids of all tasks in their order.
async fn prepared(url: &str) -> Result<(PgConnection, Vec<String>)> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(FUNCTION).execute(&mut connection).await?;
    let rows =
        sqlx::query("select id::text from tasker.tasks order by id").fetch_all(&mut connection).await?;
    Ok((connection, rows.iter().map(|row| row.get(0)).collect()))
}

async fn write_all(
    (mut connection, tasks): (PgConnection, Vec<String>),
    waves: &[Wave],
) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(waves.len());
    for wave in waves {
        let begun = Instant::now();
        let call = format!(
            "select bare('{{{}}}', '{{{}}}', '{{{}}}', {}, {})",
            tasks[wave.tasks.clone()].join(","),
            list(&wave.steps),
            list(&wave.children),
            wave.is_first,
            wave.unfinished,
        );
        sqlx::raw_sql(AssertSqlSafe(call)).execute(&mut connection).await?;
        times.push(begun.elapsed());
    }
    connection.close().await?;
    Ok(times)
}

fn list(ordinals: &[u32]) -> String {
    ordinals.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
