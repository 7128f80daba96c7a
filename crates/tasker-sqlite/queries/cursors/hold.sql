-- Takes a place in the feed: $1 name, $2 holder, $3 now, $4 until when, $5 where a new place begins.
-- Changes: that place, unless another holds it, or adds it. Index: the primary key.
-- Answers: its position, if it was taken.
insert into cursors (name, position, holder, held_until, moved_at)
values ($1, $5, $2, $4, $3)
on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
where cursors.holder is null or cursors.holder = excluded.holder or cursors.held_until <= $3
returning position;
