#!lua
-- Takes one of the few places for servers that wait for a queue's tasks, or keeps it. By the clock of Redis, since the
-- clocks of many servers meet here. Not asynq's. When memory is full it fails, and its callers poll instead.
--
-- KEYS[1] waiters
-- ARGV[1] who
-- ARGV[2] for how many milliseconds
-- ARGV[3] number of places
-- Returns 1: has a place; 0: all are taken
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local has = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not has and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
