#!lua
-- Puts new tasks into a group. Go's AddToGroup and AddToGroupUnique; unlike there, the hash of a unique task names its
-- lock, so that whoever deletes the task frees it, and an id that is taken leaves no lock behind.
--
-- KEYS[1]   groups
-- KEYS[2]   the group
-- KEYS[3..] the hash of each task, then the locks of those that are to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   number of tasks
-- ARGV[4]   now, Unix seconds
-- ARGV[5]   name of the group
-- ARGV[6..] message of each task; then of each lock: number of its task, seconds that it lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local count = tonumber(ARGV[3])
local now, group = ARGV[4], ARGV[5]

local locks = {}
for i = 1, #KEYS - 2 - count do
  local at = 5 + count + 2 * i
  locks[tonumber(ARGV[at - 1])] = { key = KEYS[2 + count + i], ttl = ARGV[at] }
end

local function enter(task, id, msg, lock)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1 end
  local holder = lock and redis.call('GET', lock.key)
  -- Sent again, and the lock is our own: the message was changed since.
  if holder then return resent and holder == id and 1 or -1 end
  if redis.call('EXISTS', task) == 1 then return 0 end
  redis.call('HSET', task, 'msg', msg, 'state', 'aggregating', 'group', group)
  if lock then
    redis.call('SET', lock.key, id, 'EX', lock.ttl)
    redis.call('HSET', task, 'unique_key', lock.key)
  end
  redis.call('ZADD', KEYS[2], now, id)
  redis.call('SADD', KEYS[1], group)
  return 1
end

local results = {}
for i = 1, count do
  local task = KEYS[2 + i]
  results[i] = enter(task, string.sub(task, prefix_length + 1), ARGV[5 + i], locks[i])
end
return results
