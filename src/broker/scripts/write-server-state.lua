#!lua flags=allow-oom
-- Says what a server is and what it works on, for a while. Go's WriteServerState, without its two index entries, which
-- lie in other slots.
--
-- KEYS[1]   the server's info
-- KEYS[2]   the infos of its workers
-- ARGV[1]   seconds that they live
-- ARGV[2]   info of the server
-- ARGV[3..] of each worker: id of its task, info
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[1])
redis.call('DEL', KEYS[2])
for i = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
redis.call('EXPIRE', KEYS[2], ARGV[1])
return redis.status_reply('OK')
