-- Microseconds since 1970, as before, in less than half of the time: a time is sent as microseconds since 2000, which are
-- read as a number.
create or replace function tasker.micros(p_at timestamptz) returns bigint
language sql stable parallel safe as $$
  select ('x' || encode(timestamptz_send(p_at), 'hex'))::bit(64)::bigint + 946684800000000
$$;
