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
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4..] of each task: last second of our lease, message, Unix second in which it is due, 1: it counts as failed, 0: it
--           does not
-- Returns for each task 1: to be retried; 0: it was not active
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local results = {}
local failed = 0

-- Sent again: whether the task's lease ends later than ours ever did. Then it is another server's, which took the task
-- after we settled it.
local function is_anothers(id, lease_end)
  local ends = resent and redis.call('ZSCORE', KEYS[2], id)
  return ends and tonumber(ends) > tonumber(lease_end)
end

for i = 1, (#ARGV - 3) / 4 do
  local task = KEYS[7 + i]
  local id = string.sub(task, prefix_length + 1)
  local lease_end, msg, due, failures = unpack(ARGV, 4 * i, 4 * i + 3)
  if resent and redis.call('HGET', task, 'msg') == msg then
    results[i] = 1
  elseif is_anothers(id, lease_end) then
    results[i] = 0
  else
    results[i] = redis.call('LREM', KEYS[1], -1, id)
    if results[i] == 1 then
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], due, id)
      redis.call('HSET', task, 'msg', msg, 'state', 'retry')
      failed = failed + tonumber(failures)
    end
  end
end

local function add(today, total)
  if redis.call('INCRBY', today, failed) == failed then redis.call('EXPIREAT', today, ARGV[3]) end
  -- At the end of an int64 it begins anew, as Go's does.
  if type(redis.pcall('INCRBY', total, failed)) ~= 'number' then redis.call('SET', total, failed) end
end

if failed > 0 then
  add(KEYS[4], KEYS[6])
  add(KEYS[5], KEYS[7])
end
return results
