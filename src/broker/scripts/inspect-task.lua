#!lua flags=no-writes
-- One task and what its message does not say. Go's GetTaskInfo.
--
-- KEYS[1] the task's hash
-- KEYS[2] scheduled
-- KEYS[3] retry
-- KEYS[4] lease
-- ARGV[1] the task's id
-- Returns { state, message, result, group, lock, second in which it is due, second in which its lease ends }, each false
-- for none; false when there is no such task
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
local reply = redis.call('HMGET', KEYS[1], 'state', 'msg', 'result', 'group', 'unique_key')
local due = { scheduled = KEYS[2], retry = KEYS[3] }
local set = due[reply[1]]
reply[6] = set and redis.call('ZSCORE', set, ARGV[1]) or false
reply[7] = redis.call('ZSCORE', KEYS[4], ARGV[1])
return reply
