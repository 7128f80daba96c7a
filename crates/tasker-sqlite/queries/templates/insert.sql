-- Stores a template: $1 namespace, $2 name, $3 version, $4 digest, $5 definition, $6 now, $7 edges:
-- [[parent, child, whether it needs the results], ...]. Changes: adds the template and its edges. Index: none.
-- Answers: its number.
insert into templates (namespace, name, version, digest, definition, current, created_at)
values ($1, $2, $3, $4, $5, 1, $6);

insert into edges (template_id, parent, child, needs_results)
select last_insert_rowid(), value ->> 0, value ->> 1, value ->> 2 from jsonb_each($7);

select id from templates where namespace = $1 and name = $2 and version = $3 and current = 1;
