#!lua flags=allow-oom
-- Deletes tasks that were processed. Go's Done; a task that is not active is left alone and fails no other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   processed of today
-- KEYS[4]   processed
-- KEYS[5..] the hash of each task, then the locks of those that are unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4]   number of tasks
-- ARGV[5..] of each task: last second of our lease; then of each lock: number of its task
-- Returns for each task 1: done; 0: it was not active
-- include: settling.lua

local count = tonumber(ARGV[4])

local locks = {}
for i = 1, #KEYS - 4 - count do
  locks[tonumber(ARGV[4 + count + i])] = KEYS[4 + count + i]
end

local results = {}
local ids, tasks = {}, {}

for i = 1, count do
  local task = KEYS[4 + i]
  local id = id_of(task)
  results[i] = take(id, ARGV[4 + i])
  if results[i] == 1 then
    ids[#ids + 1] = id
    tasks[#tasks + 1] = task
    if locks[i] and redis.call('GET', locks[i]) == id then redis.call('DEL', locks[i]) end
  elseif resent then
    results[i] = 1 - redis.call('EXISTS', task)
  end
end

if #ids > 0 then
  redis.call('ZREM', KEYS[2], unpack(ids))
  redis.call('DEL', unpack(tasks))
  add_to_counters(#ids, KEYS[3], KEYS[4], ARGV[3])
end
return results
