-- What the scripts share that take tasks out of a list or set, KEYS[1]. ARGV[1] is 1 when the call may have run before,
-- ARGV[2] a hash's key without the task's id, ARGV[3] the name of the group whose set it is (empty: of none), ARGV[4] how
-- far from the right end of a list tasks are looked for (0: everywhere). KEYS[2] is groups.
local resent = ARGV[1] == '1'
local is_list = redis.call('TYPE', KEYS[1]).ok == 'list'

-- Whoever takes tasks from a list takes those at its right end: an id that is no longer there is not sought in all of it.
local near = tonumber(ARGV[4]) > 0 and {}
if is_list and near then
  for _, id in ipairs(redis.call('LRANGE', KEYS[1], -ARGV[4], -1)) do near[id] = true end
end

local function id_of(task)
  return string.sub(task, #ARGV[2] + 1)
end

local function take(id)
  if not is_list then return redis.call('ZREM', KEYS[1], id) > 0 end
  if not near then return redis.call('LREM', KEYS[1], 0, id) > 0 end
  return near[id] and redis.call('LREM', KEYS[1], -1, id) > 0
end

-- An id without a message leads nowhere, and what may be left of its hash goes with it.
local function is_gone(task)
  if redis.call('HEXISTS', task, 'msg') == 1 then return false end
  redis.call('DEL', task)
  return true
end

local function leave_group()
  if ARGV[3] ~= '' and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SREM', KEYS[2], ARGV[3]) end
end
