#!lua flags=allow-oom
-- Gives leased tasks back, one after the other: each is the next to run, until another is given back. Go's Requeue;
-- unlike there, the hash says again since when the task is pending. A task that is not active is left alone and fails no
-- other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   pending
-- KEYS[4..] the hash of each task
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   a hash's key without the task's id
-- ARGV[3]   now, Unix nanoseconds
-- ARGV[4..] last second of our lease on each task
-- Returns for each task 1: given back; 0: it was not active
-- include: settling.lua

local results = {}

for i = 1, #KEYS - 3 do
  local task = KEYS[3 + i]
  local id = id_of(task)
  results[i] = take(id, ARGV[3 + i])
  if results[i] == 1 then
    redis.call('ZREM', KEYS[2], id)
    if redis.call('EXISTS', task) == 1 then
      redis.call('RPUSH', KEYS[3], id)
      redis.call('HSET', task, 'state', 'pending', 'pending_since', ARGV[3])
    end
  elseif resent and redis.call('HGET', task, 'state') == 'pending' then
    results[i] = 1
  end
end
return results
