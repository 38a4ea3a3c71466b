#!lua
-- Gives a scheduled task another message, if it still has the one that the new one was made from. Go's UpdateTaskPayload,
-- which overwrites what was written meanwhile.
--
-- KEYS[1] the task's hash
-- ARGV[1] 1: this call may have run before; 0: it has not
-- ARGV[2] message as it was
-- ARGV[3] message as it shall be
-- Returns 1: written; 0: it is not as it was
local fields = redis.call('HMGET', KEYS[1], 'state', 'msg')
if ARGV[1] == '1' and fields[2] == ARGV[3] then return 1 end
if fields[1] ~= 'scheduled' or fields[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'msg', ARGV[3])
return 1
