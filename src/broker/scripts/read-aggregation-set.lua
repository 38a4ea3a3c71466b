#!lua flags=allow-oom
-- Reads tasks of an aggregation set, oldest first. Part of Go's ReadAggregationSet; unlike there, an id without a task is
-- dropped and reported instead of being read as an empty task.
--
-- Reads all before it writes: in a slot that is being moved, a hash that has left already makes a script fail where it
-- is read.
--
-- KEYS[1] the aggregation set
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] rank of the first
-- ARGV[3] how many, at most
-- ARGV[4] bytes of messages after which no further task is read
-- Returns { whether there are more, { id, message, ... }, { dropped id, ... } }
local from, most, budget = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ids = redis.call('ZRANGE', KEYS[1], from, from + most - 1)
local tasks, dropped, seen, bytes = {}, {}, 0, 0
while seen < #ids and bytes < budget do
  seen = seen + 1
  local id = ids[seen]
  local msg = redis.call('HGET', ARGV[1] .. id, 'msg')
  if msg then
    bytes = bytes + #msg
    tasks[#tasks + 1] = id
    tasks[#tasks + 1] = msg
  else
    dropped[#dropped + 1] = id
  end
end
for _, id in ipairs(dropped) do
  redis.call('ZREM', KEYS[1], id)
end
return { (seen < #ids or seen == most) and 1 or 0, tasks, dropped }
