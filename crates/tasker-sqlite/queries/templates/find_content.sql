-- Finds a template under a key by its content, current or not: $1 namespace, $2 name, $3 version, $4 digest.
-- Changes: nothing. Index: the unique one.
select id from templates where namespace = $1 and name = $2 and version = $3 and digest = $4;
