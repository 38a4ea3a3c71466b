#!lua flags=allow-oom
-- Moves tasks that will not be tried again to archived, and drops from there what is too old or too much. Go's Archive;
-- a task that is not active is left alone and fails no other, and one call drops no more than a bounded number.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   archived
-- KEYS[4]   processed of today
-- KEYS[5]   failed of today
-- KEYS[6]   processed
-- KEYS[7]   failed
-- KEYS[8..] the hash of each task
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4]   now, Unix seconds
-- ARGV[5]   Unix second up to which archived tasks are dropped
-- ARGV[6]   archived tasks that may stay
-- ARGV[7..] of each task: last second of our lease, message
-- Returns for each task 1: archived; 0: it was not active
-- include: settling.lua

local now, oldest, most_kept = ARGV[4], ARGV[5], tonumber(ARGV[6])
local results = {}
local failed = 0

for i = 1, (#ARGV - 6) / 2 do
  local task, lease_end, msg = KEYS[7 + i], ARGV[5 + 2 * i], ARGV[6 + 2 * i]
  local id = id_of(task)
  if is_written(task, msg) then
    results[i] = 1
  else
    results[i] = take(id, lease_end)
    if results[i] == 1 then
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], now, id)
      redis.call('HSET', task, 'msg', msg, 'state', 'archived')
      failed = failed + 1
    end
  end
end

local function drop(ids)
  for _, id in ipairs(ids) do
    -- A hash that has left already, its slot being on the move, keeps its place until it can be dropped whole.
    if type(redis.pcall('DEL', ARGV[2] .. id)) == 'number' then redis.call('ZREM', KEYS[3], id) end
  end
end

if failed > 0 then
  add_to_counters(failed, KEYS[4], KEYS[6], ARGV[3])
  add_to_counters(failed, KEYS[5], KEYS[7], ARGV[3])
  local most = failed + 100
  drop(redis.call('ZRANGE', KEYS[3], '-inf', oldest, 'BYSCORE', 'LIMIT', 0, most))
  local excess = redis.call('ZCARD', KEYS[3]) - most_kept
  if excess > 0 then drop(redis.call('ZRANGE', KEYS[3], 0, math.min(excess, most) - 1)) end
end
return results
