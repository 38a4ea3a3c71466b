#!lua flags=allow-oom
-- Moves on the leases that still stand. Go's ExtendLease, and it says which they were.
--
-- KEYS[1]   lease
-- ARGV[1]   Unix second in which the leases end from now on
-- ARGV[2..] ids
-- Returns for each id 1: extended; 0: there is no lease
local results = {}
for i = 2, #ARGV do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
    results[i - 1] = 1
  else
    results[i - 1] = 0
  end
end
return results
