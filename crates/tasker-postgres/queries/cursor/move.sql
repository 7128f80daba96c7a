-- Moves a place in the feed, which does not go back. One row if it is the holder's.
-- Locks: the place; waits for whoever changes it.
-- Uses: cursors_pkey.
update tasker.cursors set
  moved_at = case when $4::bigint > position then tasker.at(tasker.present($1::bigint)) else moved_at end,
  position = greatest(position, $4::bigint)
where name = $2::text and holder = $3::uuid
returning position
