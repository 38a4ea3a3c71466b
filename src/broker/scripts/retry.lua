#!lua flags=allow-oom
-- Moves tasks that failed to retry. Go's Retry; a task that is not active is left alone and fails no other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   retry
-- KEYS[4]   processed of today
-- KEYS[5]   failed of today
-- KEYS[6]   processed
-- KEYS[7]   failed
-- KEYS[8..] the hash of each task
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4..] of each task: last second of our lease, message, Unix second in which it is due, 1: it counts as failed, 0: it
--           does not
-- Returns for each task 1: to be retried; 0: it was not active
-- include: settling.lua

local results = {}
local failed = 0

for i = 1, (#ARGV - 3) / 4 do
  local task = KEYS[7 + i]
  local id = id_of(task)
  local lease_end, msg, due, failures = unpack(ARGV, 4 * i, 4 * i + 3)
  if is_written(task, msg) then
    results[i] = 1
  else
    results[i] = take(id, lease_end)
    if results[i] == 1 then
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], due, id)
      redis.call('HSET', task, 'msg', msg, 'state', 'retry')
      failed = failed + tonumber(failures)
    end
  end
end

if failed > 0 then
  add_to_counters(failed, KEYS[4], KEYS[6], ARGV[3])
  add_to_counters(failed, KEYS[5], KEYS[7], ARGV[3])
end
return results
