-- Says that a worker is gone.
-- Locks: its row.
-- Uses: workers_pkey.
delete from tasker.workers where id = $1::uuid
