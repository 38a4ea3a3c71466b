#!lua flags=allow-oom
-- Archives a task of an aggregation set whose message does not decode, under a readable one. Go makes an empty task of it.
--
-- KEYS[1] the aggregation set
-- KEYS[2] archived
-- KEYS[3] hash of the task
-- ARGV[1] its id
-- ARGV[2] the message
-- ARGV[3] now, Unix seconds
-- Returns 1: archived; 0: it was not in the set
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[3], 'msg', ARGV[2], 'state', 'archived')
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
