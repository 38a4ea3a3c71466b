#!lua flags=allow-oom
-- Moves the tasks of an aggregation set back to their group. Go's ReclaimStaleAggregationSets for one set; unlike there,
-- the group is announced in groups, where an aggregator looks for it.
--
-- KEYS[1] the aggregation set
-- KEYS[2] aggregation_sets
-- KEYS[3] the group
-- KEYS[4] groups
-- ARGV[1] name of the group
-- Returns the number of tasks; 0: the set was gone
if not redis.call('ZSCORE', KEYS[2], KEYS[1]) then return 0 end
local tasks = redis.call('ZCARD', KEYS[1])
if tasks > 0 then
  redis.call('ZUNIONSTORE', KEYS[3], 2, KEYS[3], KEYS[1], 'AGGREGATE', 'MAX')
  redis.call('SADD', KEYS[4], ARGV[1])
  redis.call('DEL', KEYS[1])
end
redis.call('ZREM', KEYS[2], KEYS[1])
return tasks
