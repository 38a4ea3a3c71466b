#!lua
-- Puts new tasks into scheduled. Go's Schedule and ScheduleUnique; unlike there, an id that is taken leaves no lock
-- behind.
--
-- KEYS[1]   scheduled
-- KEYS[2..] the hash of each task, then the locks of those that are to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   number of tasks
-- ARGV[4..] of each task: message, Unix second in which it is due; then of each lock: number of its task, seconds that
--           it lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local count = tonumber(ARGV[3])

local locks = {}
for i = 1, #KEYS - 1 - count do
  local at = 3 + 2 * count + 2 * i
  locks[tonumber(ARGV[at - 1])] = { key = KEYS[1 + count + i], ttl = ARGV[at] }
end

local function enter(task, id, msg, due, lock)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1 end
  local holder = lock and redis.call('GET', lock.key)
  -- Sent again, and the lock is our own: the message was changed since.
  if holder then return resent and holder == id and 1 or -1 end
  if redis.call('EXISTS', task) == 1 then return 0 end
  redis.call('HSET', task, 'msg', msg, 'state', 'scheduled')
  if lock then
    redis.call('SET', lock.key, id, 'EX', lock.ttl)
    redis.call('HSET', task, 'unique_key', lock.key)
  end
  redis.call('ZADD', KEYS[1], due, id)
  return 1
end

local results = {}
for i = 1, count do
  local task = KEYS[1 + i]
  local msg, due = ARGV[2 + 2 * i], ARGV[3 + 2 * i]
  results[i] = enter(task, string.sub(task, prefix_length + 1), msg, due, locks[i])
end
return results
