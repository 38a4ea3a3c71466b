#!lua flags=allow-oom
-- Deletes completed tasks whose retention is over. Go's DeleteExpiredCompletedTasks.
--
-- KEYS[1] completed
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] now, Unix seconds
-- ARGV[3] how many tasks, at most
-- Returns the number of deleted tasks
local ids = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[2], 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[3]))
local deleted = 0
for _, id in ipairs(ids) do
  -- A hash that has left already, its slot being on the move, keeps its place until it can be deleted whole.
  if type(redis.pcall('DEL', ARGV[1] .. id)) == 'number' then
    redis.call('ZREM', KEYS[1], id)
    deleted = deleted + 1
  end
end
return deleted
