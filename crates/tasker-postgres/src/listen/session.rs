//! Whether a connection has a session of the server for itself.
//!
//! A proxy that pools transactions lends sessions for one transaction at a time. A `LISTEN` would stay with the
//! session; whoever gets it next finds notifications among the answers, and takes them for a fault. So nobody
//! listens before it is known that the session is not lent.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres};

use crate::database::collect;
use crate::statement::{SESSION_PROCESS, Script};

/// How often it is tried: other users of the proxy may come between, even a few times in a row.
const TRIES: usize = 10;
/// An answer that takes longer waits for a session that is lent to us.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the session of a connection is lent to others when no transaction is open. While one of another
/// connection is, both must be sessions of their own, and this one's the same as before.
pub(super) async fn is_lent<'c, C>(connection: &'c mut C, pool: &PgPool) -> Result<bool, sqlx::Error>
where
    for<'e> &'e mut C: Executor<'e, Database = Postgres>,
{
    let mut other = pool.acquire().await?.detach();
    let mut is_lent = false;
    for _ in 0..TRIES {
        is_lent = is_lent || changes_hands(connection, &mut other).await?;
    }
    other.close().await?;
    Ok(is_lent)
}

async fn changes_hands<C>(connection: &mut C, other: &mut PgConnection) -> Result<bool, sqlx::Error>
where
    for<'e> &'e mut C: Executor<'e, Database = Postgres>,
{
    let before = process(&mut *connection).await?;
    let mut transaction = other.begin().await?;
    if process(&mut *transaction).await? == before {
        transaction.rollback().await?;
        return Ok(true);
    }
    let after = tokio::time::timeout(PATIENCE, process(&mut *connection)).await;
    transaction.rollback().await?;
    Ok(match after {
        Ok(after) => after? != before,
        Err(_) => true,
    })
}

/// The server's process that answers.
async fn process<'e, E: Executor<'e, Database = Postgres>>(executor: E) -> Result<Option<i32>, sqlx::Error> {
    let script = Script::of(SESSION_PROCESS, &[]).expect("invariant: a statement without parameters");
    let rows = collect(executor, &script.into_text(), 1).await?.pop().unwrap_or_default();
    Ok(rows.first().and_then(|row| row.of("pg_backend_pid").get("process").ok()))
}
