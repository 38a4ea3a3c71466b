#!lua flags=allow-oom
-- Ends the pause of a queue. Go's Unpause.
--
-- KEYS[1] paused
-- ARGV[1] 1: this call may have run before; 0: it has not
-- Returns 1: it runs; 0: it was not paused
return redis.call('DEL', KEYS[1]) == 1 and 1 or tonumber(ARGV[1])
