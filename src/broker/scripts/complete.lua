#!lua flags=allow-oom
-- Moves tasks that were processed to completed. Go's MarkAsComplete; a task that is not active is left alone and fails
-- no other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   completed
-- KEYS[4]   processed of today
-- KEYS[5]   processed
-- KEYS[6..] the hash of each task, then the locks of those that are unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4]   number of tasks
-- ARGV[5..] of each task: last second of our lease, message, Unix second in which its retention is over; then of each lock:
--           number of its task
-- Returns for each task 1: completed; 0: it was not active
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local count = tonumber(ARGV[4])

local locks = {}
for i = 1, #KEYS - 5 - count do
  locks[tonumber(ARGV[4 + 3 * count + i])] = KEYS[5 + count + i]
end

local results = {}
local done = 0

-- Sent again: whether the task's lease ends later than ours ever did. Then it is another server's, which took the task
-- after we settled it.
local function is_anothers(id, lease_end)
  local ends = resent and redis.call('ZSCORE', KEYS[2], id)
  return ends and tonumber(ends) > tonumber(lease_end)
end

for i = 1, count do
  local task = KEYS[5 + i]
  local id = string.sub(task, prefix_length + 1)
  local lease_end, msg, over = unpack(ARGV, 2 + 3 * i, 4 + 3 * i)
  if resent and redis.call('HGET', task, 'msg') == msg then
    results[i] = 1
  elseif is_anothers(id, lease_end) then
    results[i] = 0
  else
    results[i] = redis.call('LREM', KEYS[1], -1, id)
    if results[i] == 1 then
      done = done + 1
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], over, id)
      redis.call('HSET', task, 'msg', msg, 'state', 'completed')
      if locks[i] and redis.call('GET', locks[i]) == id then redis.call('DEL', locks[i]) end
    end
  end
end

local function add(today, total)
  if redis.call('INCRBY', today, done) == done then redis.call('EXPIREAT', today, ARGV[3]) end
  -- At the end of an int64 it begins anew, as Go's does.
  if type(redis.pcall('INCRBY', total, done)) ~= 'number' then redis.call('SET', total, done) end
end

if done > 0 then add(KEYS[4], KEYS[5]) end
return results
