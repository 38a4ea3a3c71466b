#!lua flags=allow-oom
-- Moves the tasks of a group that is ready into an aggregation set. Go's AggregationCheck; unlike there, a set is never
-- larger than one script can delete in reasonable time, and a group that is empty is taken off the list.
--
-- KEYS[1] the group
-- KEYS[2] the aggregation set
-- KEYS[3] aggregation_sets
-- KEYS[4] groups
-- ARGV[1] name of the group
-- ARGV[2] now, ARGV[3] grace period, ARGV[4] longest delay (0: none); seconds, fractions too
-- ARGV[5] largest size (0: none)
-- ARGV[6] how many tasks a set holds, at most
-- ARGV[7] Unix second in which the set goes back to its group
-- Returns the number of tasks moved; 0: it is not ready
local now, grace, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local largest = tonumber(ARGV[5])

-- Sent again: it was done.
if redis.call('ZSCORE', KEYS[3], KEYS[2]) then return redis.call('ZCARD', KEYS[2]) end

local size = redis.call('ZCARD', KEYS[1])
if size == 0 then
  redis.call('SREM', KEYS[4], ARGV[1])
  return 0
end

local function added_at(rank)
  return tonumber(redis.call('ZRANGE', KEYS[1], rank, rank, 'WITHSCORES')[2])
end

local is_ready = (largest > 0 and size >= largest)
  or (longest > 0 and added_at(0) + longest <= now)
  or added_at(-1) + grace <= now
if not is_ready then return 0 end

local most = tonumber(ARGV[6])
if largest > 0 and largest < most then most = largest end
if size <= most then
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('SREM', KEYS[4], ARGV[1])
else
  redis.call('ZRANGESTORE', KEYS[2], KEYS[1], 0, most - 1)
  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, most - 1)
end
redis.call('ZADD', KEYS[3], ARGV[7], KEYS[2])
return math.min(size, most)
