#!lua flags=allow-oom
-- Whether a group, or an aggregation set, holds tasks and nobody is told of it. Announces it when told to.
--
-- KEYS[1] the group or the aggregation set
-- KEYS[2] groups
-- KEYS[3] aggregation_sets
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] a group's key without its name
-- ARGV[3] 1: announce it
-- Returns 'group' or 'set': what holds tasks that nobody looks for; false: it is announced, empty, or neither
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return false end
local name = string.sub(KEYS[1], #ARGV[2] + 1)
if redis.call('SISMEMBER', KEYS[2], name) == 1 or redis.call('ZSCORE', KEYS[3], KEYS[1]) then return false end
-- A group may be named as if it were a set; its tasks know better.
local is_set = string.find(name, '.:%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$')
local first = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if is_set and redis.call('HGET', ARGV[1] .. first, 'group') == name then is_set = nil end
if ARGV[3] == '1' then
  if is_set then
    -- Its time is over since long: whoever looks at stale sets returns it.
    redis.call('ZADD', KEYS[3], 0, KEYS[1])
  else
    redis.call('SADD', KEYS[2], name)
  end
end
return is_set and 'set' or 'group'
