-- Finds the current template under a key: $1 namespace, $2 name, $3 version. Changes: nothing.
-- Index: templates_current.
select id, digest, definition, created_at from templates
where namespace = $1 and name = $2 and version = $3 and current = 1;
