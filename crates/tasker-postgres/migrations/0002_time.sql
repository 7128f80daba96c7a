-- Time crosses the boundary as microseconds since 1970, exactly: no floating point. These functions give
-- null for null without being declared strict: a strict one would not be inlined.

-- A point in time. Hours and the rest are added apart because interval times number is computed in double
-- precision, in which only the two products by themselves are exact.
create or replace function tasker.at(p_micros bigint) returns timestamptz
language sql stable parallel safe as $$
  select timestamptz 'epoch' + interval '1 hour' * (p_micros / 3600000000)
    + interval '1 microsecond' * (p_micros % 3600000000)
$$;

-- Microseconds since 1970.
create or replace function tasker.micros(p_at timestamptz) returns bigint
language sql stable parallel safe as $$
  select extract(epoch from date_trunc('second', p_at))::bigint * 1000000
    + extract(microseconds from p_at)::bigint % 1000000
$$;

-- The sum of a time and a duration, or the last representable time.
create or replace function tasker.later(p_micros bigint, p_delay bigint) returns bigint
language sql immutable parallel safe as $$
  select case when p_delay > 9223372036854775807 - p_micros then 9223372036854775807 else p_micros + p_delay end
$$;

-- The present: what the caller says it is, or what the clock of the database says. In PL/pgSQL because an SQL
-- function could not be inlined here, and would be planned at every call.
create or replace function tasker.present(p_now bigint) returns bigint
language plpgsql volatile as $$
declare
  v_clock timestamptz;
begin
  if p_now is not null then
    return p_now;
  end if;
  v_clock := clock_timestamp();
  return tasker.micros(v_clock);
end
$$;
