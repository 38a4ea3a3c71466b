#!lua
-- Puts new tasks into scheduled. Go's Schedule and ScheduleUnique; unlike there, an id that is taken leaves no lock behind.
--
-- KEYS[1]   scheduled
-- KEYS[2..] the hash of each task, then the locks of those that are to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3..] of each task: message, Unix second in which it is due, index of its lock in KEYS (0: none), seconds that the
--           lock lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local results = {}

local function enter(task, id, msg, due, lock, ttl)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1 end
  if lock and redis.call('EXISTS', lock) == 1 then return -1 end
  if redis.call('EXISTS', task) == 1 then return 0 end
  redis.call('HSET', task, 'msg', msg, 'state', 'scheduled')
  if lock then
    redis.call('SET', lock, id, 'EX', ttl)
    redis.call('HSET', task, 'unique_key', lock)
  end
  redis.call('ZADD', KEYS[1], due, id)
  return 1
end

for i = 1, (#ARGV - 2) / 4 do
  local task = KEYS[1 + i]
  local id = string.sub(task, prefix_length + 1)
  local msg, due = ARGV[4 * i - 1], ARGV[4 * i]
  local lock, ttl = KEYS[tonumber(ARGV[4 * i + 1])], ARGV[4 * i + 2]
  results[i] = enter(task, id, msg, due, lock, ttl)
end
return results
