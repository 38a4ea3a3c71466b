-- What the scripts share that settle leased tasks. KEYS[1] is active, KEYS[2] lease; ARGV[1] is 1 when the call may have
-- run before, ARGV[2] a hash's key without the task's id.
local resent = ARGV[1] == '1'

local function id_of(task)
  return string.sub(task, #ARGV[2] + 1)
end

-- Takes a task out of active. 1: it was there; 0: it was not, or is another server's now, which took it after we settled
-- it: its lease ends later than ours ever did.
local function take(id, lease_end)
  local ends = resent and redis.call('ZSCORE', KEYS[2], id)
  if ends and tonumber(ends) > tonumber(lease_end) then return 0 end
  return redis.call('LREM', KEYS[1], -1, id)
end

-- Whether the task's message is the one that we would write: then we did.
local function is_written(task, msg)
  return resent and redis.call('HGET', task, 'msg') == msg
end

local function add_to_counters(tasks, today, total, ends)
  if redis.call('INCRBY', today, tasks) == tasks then redis.call('EXPIREAT', today, ends) end
  -- At the end of an int64 it begins anew, as Go's does.
  if type(redis.pcall('INCRBY', total, tasks)) ~= 'number' then redis.call('SET', total, tasks) end
end
