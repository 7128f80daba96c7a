-- The workers seen at or after a time, by id.
-- Locks: nothing.
-- Uses: workers_pkey; there are as many rows as workers.
select w.id, w.name, to_json(w.queues) as queues, to_json(w.handlers) as handlers, w.concurrency,
  tasker.micros(w.started_at) as started_at, tasker.micros(w.seen_at) as seen_at, w.draining
from tasker.workers w
where w.seen_at >= tasker.at($1::bigint)
order by w.id
