#!lua flags=allow-oom
-- Deletes tasks of a list or set, with their locks. Go's DeleteTask and DeleteAll; unlike there, the locks of pending and
-- of grouped tasks are freed too.
--
-- KEYS[1]    the list or set
-- KEYS[2]    groups
-- KEYS[3..]  the hash of each task, then the locks of those that are unique
-- ARGV[1..4] see taking.lua
-- ARGV[5]    number of tasks
-- ARGV[6..]  of each lock: number of its task
-- Returns for each task 1: deleted; 0: it was not there
-- include: taking.lua
local count = tonumber(ARGV[5])
local locks = {}
for i = 1, #KEYS - 2 - count do
  locks[tonumber(ARGV[5 + i])] = KEYS[2 + count + i]
end

local function delete(task, lock)
  local id = id_of(task)
  if not take(id) then return resent and 1 - redis.call('EXISTS', task) or 0 end
  redis.call('DEL', task)
  if lock and redis.call('GET', lock) == id then redis.call('DEL', lock) end
  return 1
end

local results = {}
for i = 1, count do results[i] = delete(KEYS[2 + i], locks[i]) end
leave_group()
return results
