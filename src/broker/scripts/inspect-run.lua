#!lua flags=allow-oom
-- Moves tasks of a set to pending, behind all others. Go's RunTask and RunAll; unlike there, the hash says since when the
-- task is pending and of no group any more, to which a failure would take it back, and an id without a message is dropped.
--
-- KEYS[1]    the set
-- KEYS[2]    groups
-- KEYS[3]    pending
-- KEYS[4..]  the hash of each task
-- ARGV[1..4] see taking.lua
-- ARGV[5]    now, Unix nanoseconds
-- Returns for each task 1: moved; 2: dropped; 0: it was not there
-- include: taking.lua
local function run(task)
  local id = id_of(task)
  if not take(id) then return resent and redis.call('HGET', task, 'state') == 'pending' and 1 or 0 end
  if is_gone(task) then return 2 end
  redis.call('LPUSH', KEYS[3], id)
  redis.call('HSET', task, 'state', 'pending', 'pending_since', ARGV[5])
  redis.call('HDEL', task, 'group')
  return 1
end

local results = {}
for i = 4, #KEYS do results[i - 3] = run(KEYS[i]) end
leave_group()
return results
