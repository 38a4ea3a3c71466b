#!lua
-- Puts new tasks into pending. Go's Enqueue and EnqueueUnique; unlike there, an id that is taken leaves no lock behind.
--
-- KEYS[1]   pending
-- KEYS[2..] the hash of each task, then the locks and claims of some
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   number of tasks
-- ARGV[4]   now, Unix nanoseconds
-- ARGV[5..] message of each task; then of each lock: number of its task, seconds that it lives
-- Returns for each task 1: it is in; 0: its id is taken; -1: its lock is; -2: its claim is
-- include: entering.lua

local now = ARGV[4]
local locks = locks_after(1 + count, 4 + count)
local results = {}
local ids = {}

for i = 1, count do
  local task = KEYS[1 + i]
  local is_new
  results[i], is_new = make(task, ARGV[4 + i], locks[i], 'state', 'pending', 'pending_since', now)
  if is_new then ids[#ids + 1] = id_of(task) end
end
if #ids > 0 then redis.call('LPUSH', KEYS[1], unpack(ids)) end
return results
