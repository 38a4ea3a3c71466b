#!lua flags=allow-oom
-- Remembers an enqueue of an entry among its last ones. Go's RecordSchedulerEnqueueEvent; unlike there, the history goes
-- away when it is written no more.
--
-- KEYS[1] the entry's history
-- ARGV[1] second of the enqueue
-- ARGV[2] the event
-- ARGV[3] number of events kept
-- ARGV[4] seconds that the history lives
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[3]))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return redis.status_reply('OK')
