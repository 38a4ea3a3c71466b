-- What the scripts share that put new tasks in. ARGV[1] is 1 when the call may have run before, ARGV[2] the length of a
-- hash's key without the task's id, ARGV[3] the number of tasks.
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local count = tonumber(ARGV[3])

local function id_of(task)
  return string.sub(task, prefix_length + 1)
end

-- The locks, each at the number of its task. They are the keys and arguments after so many.
local function locks_after(keys, args)
  local locks = {}
  for i = 1, #KEYS - keys do
    local at = args + 2 * i
    locks[tonumber(ARGV[at - 1])] = { key = KEYS[keys + i], ttl = ARGV[at] }
  end
  return locks
end

-- Makes the hash of a task, with these fields besides its message, and its lock. The answer for the task, and whether it
-- was made now.
local function make(task, msg, lock, ...)
  local id = id_of(task)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1, false end
  local holder = lock and redis.call('GET', lock.key)
  -- Sent again, and the lock is our own: the message was changed since.
  if holder then return resent and holder == id and 1 or -1, false end
  if redis.call('EXISTS', task) == 1 then return 0, false end
  redis.call('HSET', task, 'msg', msg, ...)
  if lock then
    redis.call('SET', lock.key, id, 'EX', lock.ttl)
    redis.call('HSET', task, 'unique_key', lock.key)
  end
  return 1, true
end
