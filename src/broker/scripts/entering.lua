-- What the scripts share that put new tasks in. ARGV[1] is 1 when the call may have run before, ARGV[2] the length of a
-- hash's key without the task's id, ARGV[3] the number of tasks.
local resent = ARGV[1] == '1'
local prefix_length = tonumber(ARGV[2])
local count = tonumber(ARGV[3])

local function id_of(task)
  return string.sub(task, prefix_length + 1)
end

-- The locks, those of each task at its number. They are the keys and arguments after so many; a claim says the number of
-- its task with a minus.
local function locks_after(keys, args)
  local locks = {}
  for i = 1, #KEYS - keys do
    local at = args + 2 * i
    local number = tonumber(ARGV[at - 1])
    local task = math.abs(number)
    locks[task] = locks[task] or {}
    table.insert(locks[task], { key = KEYS[keys + i], ttl = ARGV[at], is_claim = number < 0 })
  end
  return locks
end

-- Makes the hash of a task, with these fields besides its message, and its locks (nil: none). The answer for the task,
-- and whether it was made now.
local function make(task, msg, locks, ...)
  local id = id_of(task)
  if resent and redis.call('HGET', task, 'msg') == msg then return 1, false end
  for _, lock in ipairs(locks or {}) do
    local holder = redis.call('GET', lock.key)
    -- Sent again, and the lock is our own: the message was changed since.
    if holder and resent and holder == id then return 1, false end
    if holder then return lock.is_claim and -2 or -1, false end
  end
  if redis.call('EXISTS', task) == 1 then return 0, false end
  redis.call('HSET', task, 'msg', msg, ...)
  for _, lock in ipairs(locks or {}) do
    redis.call('SET', lock.key, id, 'EX', lock.ttl)
    -- A claim is not let go with its task.
    if not lock.is_claim then redis.call('HSET', task, 'unique_key', lock.key) end
  end
  return 1, true
end
