#!lua flags=allow-oom
-- Stores the result of a task. Go's WriteResult; unlike there, a task that is gone does not come back as a mere result.
--
-- KEYS[1] the task's hash
-- ARGV[1] result
-- Returns 1: stored; 0: there is no such task
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'result', ARGV[1])
return 1
