-- The transaction id below which every transaction has ended. Stands in a statement of its own after mark, so
-- that the snapshot is younger than the mark.
-- Locks: nothing.
-- Uses: no index.
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as xmin
