#!lua flags=allow-oom
-- Moves tasks that were processed to completed. Go's MarkAsComplete; a task that is not active is left alone and fails
-- no other.
--
-- KEYS[1]   active
-- KEYS[2]   lease
-- KEYS[3]   completed
-- KEYS[4]   processed of today
-- KEYS[5]   processed
-- KEYS[6..] the hash of each task, then the locks of those that are unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   a hash's key without the task's id
-- ARGV[3]   Unix second in which today's counters end
-- ARGV[4]   number of tasks
-- ARGV[5..] of each task: last second of our lease, message, Unix second in which its retention is over; then of each lock:
--           number of its task
-- Returns for each task 1: completed; 0: it was not active
-- include: settling.lua

local count = tonumber(ARGV[4])

local locks = {}
for i = 1, #KEYS - 5 - count do
  locks[tonumber(ARGV[4 + 3 * count + i])] = KEYS[5 + count + i]
end

local results = {}
local done = 0

for i = 1, count do
  local task = KEYS[5 + i]
  local id = id_of(task)
  local lease_end, msg, over = unpack(ARGV, 2 + 3 * i, 4 + 3 * i)
  if is_written(task, msg) then
    results[i] = 1
  else
    results[i] = take(id, lease_end)
    if results[i] == 1 then
      done = done + 1
      redis.call('ZREM', KEYS[2], id)
      redis.call('ZADD', KEYS[3], over, id)
      redis.call('HSET', task, 'msg', msg, 'state', 'completed')
      if locks[i] and redis.call('GET', locks[i]) == id then redis.call('DEL', locks[i]) end
    end
  end
end

if done > 0 then add_to_counters(done, KEYS[4], KEYS[5], ARGV[3]) end
return results
