-- Which of the server's processes answers: that of the session.
-- Locks: nothing.
-- Uses: no index.
select pg_backend_pid() as process
