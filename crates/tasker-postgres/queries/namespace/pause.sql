-- Lets no further step of a namespace be claimed.
-- Locks: the namespace.
-- Uses: namespaces_pkey.
select refusal, state::text, steps, made_ready from tasker.pause_namespace($1::bigint, $2::text, $3::text, $4::text)
