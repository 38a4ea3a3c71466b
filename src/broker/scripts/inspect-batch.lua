#!lua flags=no-writes
-- The tasks of a list or set that are to be worked on next: of a list, the next to run; of a set, those of the lowest score.
--
-- KEYS[1] the list or set
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] how many tasks, at most
-- Returns { number of all, { id, lock or false, message or false, ... } }; the message is there when only it can tell the
-- lock: Go's AddToGroupUnique writes no other note of it
local most = tonumber(ARGV[2])
local count, ids
if redis.call('TYPE', KEYS[1]).ok == 'list' then
  count, ids = redis.call('LLEN', KEYS[1]), {}
  -- Whoever removes them one by one from the right end finds each at once.
  local last = redis.call('LRANGE', KEYS[1], -most, -1)
  for i = #last, 1, -1 do ids[#ids + 1] = last[i] end
else
  count, ids = redis.call('ZCARD', KEYS[1]), redis.call('ZRANGE', KEYS[1], 0, most - 1)
end
local tasks = {}
for _, id in ipairs(ids) do
  local task = ARGV[1] .. id
  local known = redis.call('HMGET', task, 'unique_key', 'group')
  tasks[#tasks + 1] = id
  tasks[#tasks + 1] = known[1]
  tasks[#tasks + 1] = known[2] and not known[1] and redis.call('HGET', task, 'msg')
end
return { count, tasks }
