#!lua flags=allow-oom
-- Leases the next tasks of a queue. Go's Dequeue for several tasks at once; unlike there, an id without a message is
-- dropped and reported, where Go leaves it in active and lease for ever.
--
-- Reads all before it writes: in a slot that is being moved, a hash that has left already makes a script fail where it
-- is read, and what was popped before would be lost.
--
-- KEYS[1] pending
-- KEYS[2] active
-- KEYS[3] lease
-- KEYS[4] paused
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] how many tasks, at most
-- ARGV[3] Unix second in which the leases end
-- ARGV[4] bytes of messages after which no further task is taken
-- Returns { ok | empty | paused, { id, message, ... }, { dropped id, ... } }; ok: there may be more
if redis.call('EXISTS', KEYS[4]) == 1 then return { 'paused', {}, {} } end

local most = tonumber(ARGV[2])
local budget = tonumber(ARGV[4])
local waiting = redis.call('LRANGE', KEYS[1], -most, -1)
local seen, bytes = 0, 0
local ids, tasks, dropped = {}, {}, {}
while seen < #waiting and bytes < budget do
  local id = waiting[#waiting - seen]
  local msg = redis.call('HGET', ARGV[1] .. id, 'msg')
  seen = seen + 1
  if msg then
    bytes = bytes + #msg
    ids[#ids + 1] = id
    tasks[#tasks + 1] = id
    tasks[#tasks + 1] = msg
  else
    dropped[#dropped + 1] = id
  end
end
if seen == 0 then return { 'empty', {}, {} } end

redis.call('RPOP', KEYS[1], seen)
if #ids > 0 then
  local leases = {}
  for i, id in ipairs(ids) do
    local task = ARGV[1] .. id
    redis.call('HSET', task, 'state', 'active')
    redis.call('HDEL', task, 'pending_since')
    leases[2 * i - 1] = ARGV[3]
    leases[2 * i] = id
  end
  redis.call('LPUSH', KEYS[2], unpack(ids))
  redis.call('ZADD', KEYS[3], unpack(leases))
end
local more = seen == most or seen < #waiting
return { more and 'ok' or 'empty', tasks, dropped }
