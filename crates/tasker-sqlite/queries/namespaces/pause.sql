-- Pauses a namespace: $1 its name, $2 now, $3 who, $4 why. Changes: that row, which is added if it is not there.
-- Index: the primary key. Answers: whether it was not paused before.
insert into namespaces (name, paused_at, paused_by, paused_reason) values ($1, $2, $3, $4)
on conflict (name) do update
set paused_at = excluded.paused_at, paused_by = excluded.paused_by, paused_reason = excluded.paused_reason
where paused_at is null;

select changes() as is_changed;
