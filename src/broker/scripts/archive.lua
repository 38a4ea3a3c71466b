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
-- ARGV[1]   a hash's key without the task's id
-- ARGV[2]   Unix second in which today's counters end
-- ARGV[3]   now, Unix seconds
-- ARGV[4]   Unix second up to which archived tasks are dropped
-- ARGV[5]   archived tasks that may stay
-- ARGV[6..] message of each task
-- Returns for each task 1: archived; 0: it was not active
local prefix_length = #ARGV[1]
local results = {}
local failed = 0

for i = 1, #ARGV - 5 do
  local task = KEYS[7 + i]
  local id = string.sub(task, prefix_length + 1)
  results[i] = redis.call('LREM', KEYS[1], -1, id)
  if results[i] == 1 then
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZADD', KEYS[3], ARGV[3], id)
    redis.call('HSET', task, 'msg', ARGV[5 + i], 'state', 'archived')
    failed = failed + 1
  end
end

local function count(today, total)
  if redis.call('INCRBY', today, failed) == failed then redis.call('EXPIREAT', today, ARGV[2]) end
  -- At the end of an int64 it begins anew, as Go's does.
  if type(redis.pcall('INCRBY', total, failed)) ~= 'number' then redis.call('SET', total, failed) end
end

local function drop(ids)
  for _, id in ipairs(ids) do
    -- A hash that has left already, its slot being on the move, keeps its place until it can be dropped whole.
    if type(redis.pcall('DEL', ARGV[1] .. id)) == 'number' then redis.call('ZREM', KEYS[3], id) end
  end
end

if failed > 0 then
  count(KEYS[4], KEYS[6])
  count(KEYS[5], KEYS[7])
  local most = failed + 100
  drop(redis.call('ZRANGE', KEYS[3], '-inf', ARGV[4], 'BYSCORE', 'LIMIT', 0, most))
  local excess = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[5])
  if excess > 0 then drop(redis.call('ZRANGE', KEYS[3], 0, math.min(excess, most) - 1)) end
end
return results
