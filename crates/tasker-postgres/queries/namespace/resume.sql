-- Ends the pause of a namespace.
-- Locks: the namespace.
-- Uses: namespaces_pkey.
select refusal, state::text, steps, made_ready from tasker.resume_namespace($1::text)
