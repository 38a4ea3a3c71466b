#!lua flags=allow-oom
-- Archives a task whose message was read and does not decode, wherever it waits and whatever its hash says of its state,
-- unless that message is another now. A full archive takes none: it would drop an older task for it.
--
-- KEYS[1..2] active, pending
-- KEYS[3..6] scheduled, retry, completed, archived
-- KEYS[7]    groups
-- KEYS[8]    hash of the task
-- ARGV[1]    its id
-- ARGV[2]    the message that was read
-- ARGV[3]    a group's key without its name
-- ARGV[4]    now, Unix seconds
-- ARGV[5]    archived tasks that may stay
-- Returns 1: it is archived; 0: it is active, is not where it can be taken from, has changed, or archived is full
local id = ARGV[1]
local task = redis.call('HMGET', KEYS[8], 'msg', 'group')
if task[1] ~= ARGV[2] or redis.call('LPOS', KEYS[1], id) then return 0 end

local is_archived = redis.call('ZSCORE', KEYS[6], id)
if not is_archived and redis.call('ZCARD', KEYS[6]) >= tonumber(ARGV[5]) then return 0 end
local group = task[2] and ARGV[3] .. task[2]
local taken = redis.call('LREM', KEYS[2], 0, id)
for i = 3, 5 do taken = taken + redis.call('ZREM', KEYS[i], id) end
if group and redis.call('ZREM', group, id) == 1 then
  taken = taken + 1
  if redis.call('EXISTS', group) == 0 then redis.call('SREM', KEYS[7], task[2]) end
end
if not is_archived and taken == 0 then return 0 end
if not is_archived then redis.call('ZADD', KEYS[6], ARGV[4], id) end
redis.call('HSET', KEYS[8], 'state', 'archived')
return 1
