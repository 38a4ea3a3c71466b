#!lua
-- Puts new tasks into a group. Go's AddToGroup and AddToGroupUnique; unlike there, the hash of a unique task names its
-- lock, so that whoever deletes the task frees it, and an id that is taken leaves no lock behind.
--
-- KEYS[1]   groups
-- KEYS[2]   the group
-- KEYS[3..] the hash of each task, then the locks of those that are to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   now, Unix seconds
-- ARGV[4]   name of the group
-- ARGV[5..] of each task: message, index of its lock in KEYS (0: none), seconds that the lock lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local now, group = ARGV[3], ARGV[4]
local results = {}

local function enter(task, id, msg, lock, ttl)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1 end
  if lock and redis.call('EXISTS', lock) == 1 then return -1 end
  if redis.call('EXISTS', task) == 1 then return 0 end
  redis.call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', group)
  if lock then
    redis.call('SET', lock, id, 'EX', ttl)
    redis.call('HSET', task, 'unique_key', lock)
  end
  redis.call('ZADD', KEYS[2], now, id)
  redis.call('SADD', KEYS[1], group)
  return 1
end

for i = 1, (#ARGV - 4) / 3 do
  local task = KEYS[2 + i]
  local id = string.sub(task, prefix_length + 1)
  local msg, lock, ttl = ARGV[2 + 3 * i], KEYS[tonumber(ARGV[3 + 3 * i])], ARGV[4 + 3 * i]
  results[i] = enter(task, id, msg, lock, ttl)
end
return results
