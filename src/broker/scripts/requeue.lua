#!lua flags=allow-oom
-- Gives leased tasks back: they are the next to run, the first of them first. Go's Requeue; unlike there, the hash says
-- again since when the task is pending. A task that is not active is left alone and fails no other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   pending
-- KEYS[4..] the hash of each task
-- ARGV[1]   length of a hash's key without the task's id
-- ARGV[2]   now, Unix nanoseconds
-- Returns for each task 1: given back; 0: it was not active
local prefix_length = tonumber(ARGV[1])
local results = {}

for i = #KEYS - 3, 1, -1 do
  local task = KEYS[3 + i]
  local id = string.sub(task, prefix_length + 1)
  results[i] = redis.call('LREM', KEYS[1], -1, id)
  if results[i] == 1 then
    redis.call('ZREM', KEYS[2], id)
    if redis.call('EXISTS', task) == 1 then
      redis.call('RPUSH', KEYS[3], id)
      redis.call('HSET', task, 'state', 'pending', 'pending_since', ARGV[2])
    end
  end
end
return results
