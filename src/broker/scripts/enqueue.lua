#!lua
-- Puts new tasks into pending. Go's Enqueue and EnqueueUnique; unlike there, an id that is taken leaves no lock behind.
--
-- KEYS[1]   pending
-- KEYS[2..] the hash of each task, then the locks of those that are to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   now, Unix nanoseconds
-- ARGV[4..] of each task: message, index of its lock in KEYS (0: none), seconds that the lock lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local now = ARGV[3]
local results = {}
local ids = {}

local function enter(task, id, msg, lock, ttl)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1 end
  if lock and redis.call('EXISTS', lock) == 1 then return -1 end
  if redis.call('EXISTS', task) == 1 then return 0 end
  redis.call('HSET', task, 'msg', msg, 'state', 'pending', 'pending_since', now)
  if lock then
    redis.call('SET', lock, id, 'EX', ttl)
    redis.call('HSET', task, 'unique_key', lock)
  end
  ids[#ids + 1] = id
  return 1
end

for i = 1, (#ARGV - 3) / 3 do
  local task = KEYS[1 + i]
  local id = string.sub(task, prefix_length + 1)
  local msg, lock, ttl = ARGV[1 + 3 * i], KEYS[tonumber(ARGV[2 + 3 * i])], ARGV[3 + 3 * i]
  results[i] = enter(task, id, msg, lock, ttl)
end
if #ids > 0 then redis.call('LPUSH', KEYS[1], unpack(ids)) end
return results
