-- Ends the pause of a namespace: $1 its name. Changes: that row. Index: the primary key.
-- Answers: whether it was paused before.
update namespaces set paused_at = null, paused_by = null, paused_reason = null
where name = $1 and paused_at is not null;

select changes() as is_changed;
