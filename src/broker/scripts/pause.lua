#!lua flags=allow-oom
-- Pauses a queue. Go's Pause.
--
-- KEYS[1] paused
-- ARGV[1] 1: this call may have run before; 0: it has not
-- ARGV[2] now, Unix seconds
-- Returns 1: paused; 0: it was already
local since = redis.call('GET', KEYS[1])
if since then return ARGV[1] == '1' and since == ARGV[2] and 1 or 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1
