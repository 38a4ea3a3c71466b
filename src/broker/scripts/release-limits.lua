#!lua flags=allow-oom
-- Takes away the limits of a queue that this owner set; those of another stay.
--
-- KEYS[1] limits
-- ARGV[1] owner
-- Returns 1: gone; 0: there were none of this owner
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
