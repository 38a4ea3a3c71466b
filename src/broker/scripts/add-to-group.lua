#!lua
-- Puts new tasks into a group. Go's AddToGroup and AddToGroupUnique; unlike there, the hash of a unique task names its
-- lock, so that whoever deletes the task frees it, and an id that is taken leaves no lock behind.
--
-- KEYS[1]   groups
-- KEYS[2]   the group
-- KEYS[3..] the hash of each task, then the locks and claims of some
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   number of tasks
-- ARGV[4]   now, Unix seconds
-- ARGV[5]   name of the group
-- ARGV[6..] message of each task; then of each lock: number of its task, seconds that it lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is; -2: its claim is
-- include: entering.lua

local now, group = ARGV[4], ARGV[5]
local locks = locks_after(2 + count, 5 + count)
local results = {}

for i = 1, count do
  local task = KEYS[2 + i]
  local is_new
  results[i], is_new = make(task, ARGV[5 + i], locks[i], 'state', 'aggregating', 'group', group)
  if is_new then
    redis.call('ZADD', KEYS[2], now, id_of(task))
    redis.call('SADD', KEYS[1], group)
  end
end
return results
