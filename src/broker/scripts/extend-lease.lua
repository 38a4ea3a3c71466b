#!lua flags=allow-oom
-- Moves on the leases that still stand. Go's ExtendLease, and it says which they were. One that ends later than what is
-- asked for is another server's, which took the task over while this call was on its way.
--
-- KEYS[1]   lease
-- ARGV[1]   Unix second in which the leases end from now on
-- ARGV[2..] ids
-- Returns for each id 1: extended; 0: there is no lease, or it is another's
local results = {}
for i = 2, #ARGV do
  local ends = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if ends and tonumber(ends) <= tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[1], ARGV[1], ARGV[i])
    results[i - 1] = 1
  else
    results[i - 1] = 0
  end
end
return results
