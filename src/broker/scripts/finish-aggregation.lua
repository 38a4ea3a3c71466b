#!lua flags=allow-oom
-- Puts the task that an aggregation set was made into in its queue, and deletes the set and its tasks. Go does it in two
-- steps (Enqueue, DeleteAggregationSet), and a crash between them makes the task twice; it keeps the locks of the tasks
-- that it deletes, too.
--
-- KEYS[1]   the aggregation set
-- KEYS[2]   aggregation_sets
-- KEYS[3]   where the new task waits: pending, scheduled, or a group
-- KEYS[4]   groups
-- KEYS[5]   hash of the new task
-- KEYS[6..] the hash of each task of the set, then the locks of those that are unique, then that of the new task if it is
--           to be unique
-- ARGV[1]   1: this call may have run before; 0: it has not
-- ARGV[2]   length of a hash's key without the task's id
-- ARGV[3]   1: the set's time is over; 0: it is not
-- ARGV[4]   number of tasks of the set
-- ARGV[5]   message of the new task
-- ARGV[6]   its state: pending, scheduled or aggregating
-- ARGV[7]   pending: now, Unix nanoseconds; else its score
-- ARGV[8]   name of its group; empty: none
-- ARGV[9]   seconds that its lock lives; 0: it has none
-- ARGV[10..] number of the task of each lock
-- Returns 1: it is in; 0: its id is taken; -1: its lock is; -2: the set has gone back to its group
local prefix_length, count, ttl = tonumber(ARGV[2]), tonumber(ARGV[4]), tonumber(ARGV[9])
local locks_end = ttl > 0 and #KEYS - 1 or #KEYS

-- Only who has made the task of it takes a set off the list before its time is over.
if not redis.call('ZSCORE', KEYS[2], KEYS[1]) then return ARGV[1] == '1' and ARGV[3] == '0' and 1 or -2 end

local function id_of(hash) return string.sub(hash, prefix_length + 1) end

-- Locks that the tasks of the set hold: they are free for the new one.
local own = {}
for i = 1, locks_end - 5 - count do
  local lock = KEYS[5 + count + i]
  if redis.call('GET', lock) == id_of(KEYS[5 + tonumber(ARGV[9 + i])]) then own[lock] = true end
end

local id, lock = id_of(KEYS[5]), ttl > 0 and KEYS[#KEYS]
if lock and not own[lock] and redis.call('EXISTS', lock) == 1 then return -1 end
if redis.call('EXISTS', KEYS[5]) == 1 then return 0 end

for held in pairs(own) do
  redis.call('DEL', held)
end
for i = 6, 5 + count do
  redis.call('DEL', KEYS[i])
end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], KEYS[1])

redis.call('HSET', KEYS[5], 'msg', ARGV[5], 'state', ARGV[6])
if lock then
  redis.call('SET', lock, id, 'EX', ttl)
  redis.call('HSET', KEYS[5], 'unique_key', lock)
end
if ARGV[6] == 'pending' then
  redis.call('HSET', KEYS[5], 'pending_since', ARGV[7])
  redis.call('LPUSH', KEYS[3], id)
else
  redis.call('ZADD', KEYS[3], ARGV[7], id)
end
if ARGV[6] == 'aggregating' then
  redis.call('HSET', KEYS[5], 'group', ARGV[8])
  redis.call('SADD', KEYS[4], ARGV[8])
end
return 1
