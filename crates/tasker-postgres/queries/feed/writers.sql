-- The transactions that have begun to write transitions and have not ended: each holds this lock to its end.
-- Locks: nothing.
-- Uses: no index.
select l.virtualtransaction as writer from pg_locks l
where l.locktype = 'relation' and l.relation = 'tasker.transitions'::regclass and l.mode = 'RowExclusiveLock'
  and l.granted and l.database = (select d.oid from pg_database d where d.datname = current_database())
