-- Moves a place in the feed: $1 name, $2 holder, $3 now, $4 position. Changes: that place, if it is the holder's; it
-- does not go back. Index: the primary key. Answers: its position, if it is the holder's.
update cursors set
  moved_at = case when $4 > position then $3 else moved_at end,
  position = max(position, $4)
where name = $1 and holder = $2
returning position;
