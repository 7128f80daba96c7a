-- Tells the other processes that something was committed. Nobody waits until a hint is on disk.
-- Locks: nothing.
-- Uses: no index.
select set_config('synchronous_commit', 'off', true), pg_notify('tasker', $1::text)
