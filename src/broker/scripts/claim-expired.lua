#!lua flags=allow-oom
-- Takes over tasks whose lease has ended, with a new lease. Go's ListLeaseExpired, which only lists them, so that every
-- server that looks at the same moment settles the same tasks; a lease makes them one server's, and ends again if that
-- server dies. An id without a message, Go's ghost, is removed and reported.
--
-- Reads all before it writes: in a slot that is being moved, a hash that has left already makes a script fail where it
-- is read.
--
-- KEYS[1] lease
-- KEYS[2] active
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] Unix second up to which leases must have ended
-- ARGV[3] Unix second in which the new leases end
-- ARGV[4] how many tasks, at most
-- ARGV[5] bytes of messages after which no further task is taken
-- Returns { whether there may be more, { id, message, ... }, { dropped id, ... } }
local most = tonumber(ARGV[4])
local budget = tonumber(ARGV[5])
local expired = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, most)
local messages, seen, bytes = {}, 0, 0
while seen < #expired and bytes < budget do
  seen = seen + 1
  messages[seen] = redis.call('HGET', ARGV[1] .. expired[seen], 'msg')
  if messages[seen] then bytes = bytes + #messages[seen] end
end

local tasks, dropped = {}, {}
for i = 1, seen do
  local id = expired[i]
  if messages[i] then
    redis.call('ZADD', KEYS[1], ARGV[3], id)
    tasks[#tasks + 1] = id
    tasks[#tasks + 1] = messages[i]
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('LREM', KEYS[2], -1, id)
    redis.call('DEL', ARGV[1] .. id)
    dropped[#dropped + 1] = id
  end
end
local more = seen == most or seen < #expired
return { more and 1 or 0, tasks, dropped }
