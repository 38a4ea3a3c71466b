#!lua flags=allow-oom
-- Moves those tasks of an aggregation set back to their group that are too much for one aggregation.
--
-- KEYS[1] the aggregation set
-- KEYS[2] the group
-- KEYS[3] groups
-- ARGV[1] name of the group
-- ARGV[2] rank of the first
-- Returns the number of tasks
local rest = redis.call('ZRANGE', KEYS[1], ARGV[2], -1, 'WITHSCORES')
if #rest == 0 then return 0 end
for i = 1, #rest, 2 do
  redis.call('ZADD', KEYS[2], rest[i + 1], rest[i])
end
redis.call('SADD', KEYS[3], ARGV[1])
return redis.call('ZREMRANGEBYRANK', KEYS[1], ARGV[2], -1)
