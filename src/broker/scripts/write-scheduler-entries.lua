#!lua flags=allow-oom
-- Says what a scheduler enqueues, for a while. Go's WriteSchedulerEntries, without its index entry, which lies in
-- another slot.
--
-- KEYS[1]   the scheduler's entries
-- ARGV[1]   seconds that they live
-- ARGV[2..] each entry
redis.call('DEL', KEYS[1])
for i = 2, #ARGV do
  redis.call('LPUSH', KEYS[1], ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return redis.status_reply('OK')
