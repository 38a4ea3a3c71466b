#!lua flags=allow-oom
-- The second look at a hash that no list or set led to: whether that is still so, of one instant. Mends it when told to:
-- a task is archived, under a message that says why, and a rest without a message is deleted. A full archive takes none:
-- it would drop an older task for it.
--
-- KEYS[1..2] pending, active
-- KEYS[3..6] scheduled, retry, archived, completed
-- KEYS[7]    aggregation_sets
-- KEYS[8]    hash of the task
-- KEYS[9]    lease
-- KEYS[10..] sets in groups that are not in aggregation_sets
-- ARGV[1]    its id
-- ARGV[2]    a group's key without its name
-- ARGV[3]    1: mend
-- ARGV[4]    now, Unix seconds
-- ARGV[5]    the message that it had; empty: none
-- ARGV[6]    the message that it is archived under
-- ARGV[7]    archived tasks that may stay
-- Returns 1: nothing leads to it (and it was mended); 2: the same, but archived is full; 0: something does, a worker has
-- it, it is gone, or it has changed
local id = ARGV[1]
local task = redis.call('HMGET', KEYS[8], 'msg', 'group')
if redis.call('EXISTS', KEYS[8]) == 0 or (task[1] or '') ~= ARGV[5] then return 0 end
-- Active may be what was lost, and its worker goes on.
local lease_end = redis.call('ZSCORE', KEYS[9], id)
if lease_end and tonumber(lease_end) > tonumber(ARGV[4]) then return 0 end
for i = 3, 6 do
  if redis.call('ZSCORE', KEYS[i], id) then return 0 end
end
if task[2] and redis.call('ZSCORE', ARGV[2] .. task[2], id) then return 0 end
for _, set in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
  if redis.call('ZSCORE', set, id) then return 0 end
end
for i = 10, #KEYS do
  if redis.call('ZSCORE', KEYS[i], id) then return 0 end
end
if redis.call('LPOS', KEYS[2], id) or redis.call('LPOS', KEYS[1], id) then return 0 end
if ARGV[3] ~= '1' then return 1 end

if ARGV[5] == '' then
  redis.call('DEL', KEYS[8])
elseif redis.call('ZCARD', KEYS[5]) >= tonumber(ARGV[7]) then
  return 2
else
  redis.call('HSET', KEYS[8], 'msg', ARGV[6], 'state', 'archived')
  redis.call('ZADD', KEYS[5], ARGV[4], id)
end
return 1
