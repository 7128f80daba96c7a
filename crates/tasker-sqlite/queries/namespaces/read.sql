-- Reads who paused a namespace: $1 its name. Changes: nothing. Index: the primary key.
select paused_at, paused_by, paused_reason from namespaces where name = $1 and paused_at is not null;
