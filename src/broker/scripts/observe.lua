#!lua flags=no-writes
-- One queue as it stands: every figure of one instant. Asynq has no such script; `CurrentStats` comes nearest.
--
-- KEYS[1] pending   KEYS[2] active     KEYS[3] lease      KEYS[4] scheduled          KEYS[5] retry       KEYS[6] archived
-- KEYS[7] completed KEYS[8] paused     KEYS[9] groups     KEYS[10] aggregation_sets  KEYS[11] processed  KEYS[12] failed
-- KEYS[13] limits   KEYS[14] starts
-- All are declared, so that a slot in mid-move answers TRYAGAIN: a key that has left it would look like an empty one.
--
-- ARGV[1] prefix of task keys
-- ARGV[2] prefix of group keys
-- ARGV[3] seconds that `soon` looks ahead
-- ARGV[4] grace period of a group, ARGV[5] its largest size, ARGV[6] its longest delay; seconds, 0: no limit
-- ARGV[7] what an operator writes as the owner of limits
--
-- Returns one text, since reading a reply for each figure would cost the reader more than all else:
--   seconds and microseconds of the clock, paused, processed, failed, archived, completed
-- and, of a queue that is not at rest,
--   pending, active, scheduled, retry, aggregating, groups, stamp (- when there is none), stamps in the future,
--   due, soon, next due (- when nothing is), orphaned, ghosts, tasks in ready groups
-- and, of a queue with limits,
--   concurrency, rate (- when there is no such limit), an operator set them, tasks started so far
local call = redis.call
local time = call('TIME')
local strings = call('MGET', KEYS[8], KEYS[11], KEYS[12], KEYS[14])
local limits = call('HMGET', KEYS[13], 'concurrency', 'rate_per_second', 'owner')
local reply = {
  time[1], time[2], strings[1] and 1 or 0, strings[2] or 0, strings[3] or 0,
  call('ZCARD', KEYS[6]), call('ZCARD', KEYS[7]),
}

-- What comes behind all other figures.
local behind = ''
if limits[1] or limits[2] then
  -- As dequeue reads it.
  local function limit(text)
    local number = tonumber(text or '')
    return number and number > 0 and number < math.huge and string.format('%.17g', number) or '-'
  end

  local concurrency, rate = limit(limits[1]), limit(limits[2])
  local started = string.match(strings[4] or '', ' (%d+)$') or 0
  if concurrency ~= '-' or rate ~= '-' then
    behind = ' ' .. table.concat({ concurrency, rate, limits[3] == ARGV[7] and 1 or 0, started }, ' ')
  end
end

-- Most queues are at rest most of the time, and this is all that they cost.
if call('EXISTS', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[9], KEYS[10]) == 0 then
  return table.concat(reply, ' ') .. behind
end

local STAMPS = 16 -- tasks next to run that are asked since when they wait
local GROUPS = 200 -- groups looked at; of more, so many by chance stand for all
local STALE_SETS = 100 -- aggregation sets looked at
local ENDED = 100 -- ended leases whose task is looked for
local NEVER = 9e15 -- a score beyond this is no time

local now = tonumber(time[1])

-- The earliest stamp among the tasks next to run, and how many stamps are more than a second ahead of the clock.
-- A double does not hold nanoseconds: stamps are compared as texts, which have one length until the year 2286.
local function oldest_stamp()
  local latest = string.format('%d%06d000', now + 1, tonumber(time[2]))
  local oldest, ahead = '-', 0
  for _, id in ipairs(call('LRANGE', KEYS[1], -STAMPS, -1)) do
    local stamp = call('HGET', ARGV[1] .. id, 'pending_since')
    if stamp and #stamp == #latest then
      if stamp > latest then
        ahead = ahead + 1
      elseif oldest == '-' or stamp < oldest then
        oldest = stamp
      end
    end
  end
  return oldest, ahead
end

-- Of a set of tasks by the second in which they are due: those due now, those due soon, the first that is not due.
local function timing(key)
  local due = call('ZCOUNT', key, '-inf', now)
  local soon = call('ZCOUNT', key, '(' .. now, now + tonumber(ARGV[3]))
  local first = call('ZRANGE', key, '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
  return due, soon, math.ceil(math.min(tonumber(first[2] or NEVER), NEVER))
end

-- Ended leases with a task behind them, which a recoverer takes, and those without, which nobody does.
local function ended_leases()
  local ended, gone = call('ZCOUNT', KEYS[3], '-inf', now), 0
  for _, id in ipairs(call('ZRANGE', KEYS[3], '-inf', now, 'BYSCORE', 'LIMIT', 0, ENDED)) do
    if call('HEXISTS', ARGV[1] .. id, 'msg') == 0 then gone = gone + 1 end
  end
  return ended - gone, gone
end

local function added_at(group, rank)
  return tonumber(call('ZRANGE', group, rank, rank, 'WITHSCORES')[2] or now)
end

-- As an aggregator decides it.
local function is_ready(group, tasks)
  local grace, largest, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  if tasks == 0 then return false end
  return (largest > 0 and tasks >= largest)
    or (longest > 0 and added_at(group, 0) <= now - longest)
    or added_at(group, -1) <= now - grace
end

local function tasks_in_groups(groups)
  local names = groups <= GROUPS and call('SMEMBERS', KEYS[9]) or call('SRANDMEMBER', KEYS[9], GROUPS)
  local all, ready = 0, 0
  for _, name in ipairs(names) do
    local group = ARGV[2] .. name
    local tasks = call('ZCARD', group)
    all = all + tasks
    if is_ready(group, tasks) then ready = ready + tasks end
  end
  local share = math.max(1, groups / GROUPS)
  return math.ceil(all * share), math.ceil(ready * share)
end

local function tasks_in_stale_sets()
  local tasks = 0
  for _, set in ipairs(call('ZRANGE', KEYS[10], '-inf', now, 'BYSCORE', 'LIMIT', 0, STALE_SETS)) do
    tasks = tasks + call('ZCARD', set)
  end
  return tasks
end

local pending, active = call('LLEN', KEYS[1]), call('LLEN', KEYS[2])
local leases, groups = call('ZCARD', KEYS[3]), call('SCARD', KEYS[9])
local stamp, ahead = oldest_stamp()
local due_scheduled, soon_scheduled, next_scheduled = timing(KEYS[4])
local due_retry, soon_retry, next_retry = timing(KEYS[5])
local next_due = math.min(next_scheduled, next_retry)
local orphaned, gone = ended_leases()
local aggregating, ready = tasks_in_groups(groups)
for _, figure in ipairs({
  pending, active, call('ZCARD', KEYS[4]), call('ZCARD', KEYS[5]), aggregating, groups, stamp, ahead,
  due_scheduled + due_retry, soon_scheduled + soon_retry, next_due < NEVER and next_due or '-',
  -- Whatever has a lease is active, so the difference has none.
  orphaned, gone + math.max(0, active - leases), ready + tasks_in_stale_sets(),
}) do
  reply[#reply + 1] = figure
end
return table.concat(reply, ' ') .. behind
