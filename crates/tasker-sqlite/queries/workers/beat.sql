-- Says that a worker is there: $1 id, $2 name, $3 queues, $4 handlers, $5 concurrency, $6 began, $7 now, $8 whether
-- it is draining; and forgets those not seen since $9, at most $10. Changes: that row, which is added if it is not
-- there; removes the others. Index: the primary key, workers_seen.
insert into workers (id, name, queues, handlers, concurrency, started_at, seen_at, draining)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (id) do update set
  name = excluded.name, queues = excluded.queues, handlers = excluded.handlers, concurrency = excluded.concurrency,
  started_at = excluded.started_at, seen_at = excluded.seen_at, draining = excluded.draining;

delete from workers where id in (select id from workers where seen_at <= $9 order by seen_at limit $10);
