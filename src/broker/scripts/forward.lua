#!lua flags=allow-oom
-- Moves due tasks from scheduled and retry to pending, or to their group. Go's ForwardIfReady; unlike there, the group
-- is announced in groups, and an id without a task is dropped and reported instead of becoming an empty task.
--
-- Reads all before it writes, a group too: in a slot that is being moved, a key that is not here makes a script fail
-- where it is touched first.
--
-- KEYS[1] scheduled
-- KEYS[2] retry
-- KEYS[3] pending
-- KEYS[4] groups
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] a group's key without its name
-- ARGV[3] now, Unix seconds
-- ARGV[4] now, Unix nanoseconds
-- ARGV[5] how many tasks of each set, at most
-- Returns { number moved, whether more are due, second of the next task or false, { dropped id, ... } }
local most = tonumber(ARGV[5])
local due, more = {}, 0
for i = 1, 2 do
  local ids = redis.call('ZRANGE', KEYS[i], '-inf', ARGV[3], 'BYSCORE', 'LIMIT', 0, most)
  if #ids == most then more = 1 end
  for _, id in ipairs(ids) do
    local hash = ARGV[1] .. id
    local exists = redis.call('HEXISTS', hash, 'msg') == 1
    local group = redis.call('HGET', hash, 'group')
    if group and group ~= '' then redis.call('EXISTS', ARGV[2] .. group) end
    due[#due + 1] = { id = id, hash = hash, from = KEYS[i], exists = exists, group = group }
  end
end

local moved, dropped = 0, {}
for _, task in ipairs(due) do
  redis.call('ZREM', task.from, task.id)
  if not task.exists then
    dropped[#dropped + 1] = task.id
  elseif task.group and task.group ~= '' then
    redis.call('HSET', task.hash, 'state', 'aggregating')
    redis.call('ZADD', ARGV[2] .. task.group, ARGV[3], task.id)
    redis.call('SADD', KEYS[4], task.group)
    moved = moved + 1
  else
    redis.call('HSET', task.hash, 'state', 'pending', 'pending_since', ARGV[4])
    redis.call('LPUSH', KEYS[3], task.id)
    moved = moved + 1
  end
end

local next_due = false
for i = 1, 2 do
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  if first and (not next_due or tonumber(first) < tonumber(next_due)) then next_due = first end
end
return { moved, more, next_due, dropped }
