#!lua
-- Puts new tasks into scheduled. Go's Schedule and ScheduleUnique; unlike there, an id that is taken leaves no lock
-- behind.
--
-- KEYS[1]   scheduled
-- KEYS[2..] the hash of each task, then the locks and claims of some
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   number of tasks
-- ARGV[4..] of each task: message, Unix second in which it is due; then of each lock: number of its task, seconds that
--           it lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is; -2: its claim is
-- include: entering.lua

local locks = locks_after(1 + count, 3 + 2 * count)
local results = {}

for i = 1, count do
  local task = KEYS[1 + i]
  local msg, due = ARGV[2 + 2 * i], ARGV[3 + 2 * i]
  local is_new
  results[i], is_new = make(task, msg, locks[i], 'state', 'scheduled')
  if is_new then redis.call('ZADD', KEYS[1], due, id_of(task)) end
end
return results
