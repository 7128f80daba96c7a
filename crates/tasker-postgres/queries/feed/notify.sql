-- Tells the other processes that something was committed.
-- Locks: nothing.
-- Uses: no index.
select pg_notify('tasker', $1::text)
