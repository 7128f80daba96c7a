-- Stores a template with its edges, or finds it; null if its key is taken.
-- Locks: the key (advisory), then the namespace if it is new.
-- Uses: templates by namespace, name and version.
select tasker.put_template(
  $1::bigint, $2::text, $3::text, $4::text, $5::text, $6::text, $7::boolean, $8::integer[], $9::integer[],
  $10::boolean[]) as id
