#!lua flags=allow-oom
-- Locks whose task is gone: they keep others like it out until they end. Frees them when told to.
--
-- KEYS    the locks
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] 1: free them
-- Returns for each lock 1: its task is gone; 0: it is not, or the lock is
local results = {}
for i, lock in ipairs(KEYS) do
  local id = redis.call('TYPE', lock).ok == 'string' and redis.call('GET', lock)
  results[i] = id and redis.call('HEXISTS', ARGV[1] .. id, 'msg') == 0 and 1 or 0
  if results[i] == 1 and ARGV[2] == '1' then redis.call('DEL', lock) end
end
return results
