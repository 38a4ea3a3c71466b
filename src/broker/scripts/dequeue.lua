#!lua flags=allow-oom
-- Leases the next tasks of a queue. Go's Dequeue for several tasks at once; unlike there, an id without a message is
-- dropped and reported, where Go leaves it in active and lease for ever, and a queue may have limits.
--
-- Reads all before it writes: in a slot that is being moved, a hash that has left already makes a script fail where it
-- is read, and what was popped before would be lost.
--
-- KEYS[1] pending
-- KEYS[2] active
-- KEYS[3] lease
-- KEYS[4] paused
-- KEYS[5] limits: hash of concurrency and rate_per_second; what is no positive number limits nothing
-- KEYS[6] starts: while there are limits, Unix microsecond in which the next start is due, and number of starts so far
-- ARGV[1] a hash's key without the task's id
-- ARGV[2] how many tasks, at most
-- ARGV[3] Unix second in which the leases end
-- ARGV[4] bytes of messages after which no further task is taken
-- Returns { ok | empty | paused | concurrency | rate, { id, message, ... }, { dropped id, ... } }; ok: there may be more;
-- concurrency, rate: there are more, and this limit holds them back; then a fourth item says after how many milliseconds
-- it is worth asking again.
local most = tonumber(ARGV[2])
local budget = tonumber(ARGV[4])

local SPARE = 100000 -- microseconds that a start may come late and still keep to the rate
local LEAST = 0.001 -- a limit; one yet smaller, written by hand, would put the next start beyond all times of Redis
local allowed, limit, starts = most, nil, nil

-- Most queues have none of it: one command tells, and nothing is set up for those that have.
if redis.call('EXISTS', KEYS[4], KEYS[5]) > 0 then
  if redis.call('EXISTS', KEYS[4]) == 1 then return { 'paused', {}, {} } end

  local function positive(text)
    local number = tonumber(text or '')
    return number and number > 0 and number < math.huge and math.max(number, LEAST) or nil
  end

  local limits = redis.call('HMGET', KEYS[5], 'concurrency', 'rate_per_second')
  local concurrency, rate = positive(limits[1]), positive(limits[2])
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local due, count = string.match(redis.call('GET', KEYS[6]) or '', '^(%d+) (%d+)$')
  starts = { now = now, due = math.max(tonumber(due or 0), now), count = tonumber(count or 0), step = 0 }
  if concurrency then
    -- A lease counts whoever holds it, until it ends.
    local free = math.floor(concurrency) - redis.call('ZCOUNT', KEYS[3], '(' .. time[1], '+inf')
    if free < allowed then
      allowed, limit = math.max(0, free), 'concurrency'
    end
  end
  if rate then
    starts.step = 1000000 / rate
    local latest = now + SPARE + starts.step
    if starts.due > latest + 1 then
      -- The clock was set back, or the rate raised. It is written down also when nothing starts, or no time would pass.
      starts.due, starts.isNew = latest, true
    end
    local ready = math.max(0, math.floor((now + SPARE - starts.due) / starts.step) + 1)
    if ready < allowed then
      allowed, limit = ready, 'rate'
    end
  end
end

local waiting = allowed > 0 and redis.call('LRANGE', KEYS[1], -allowed, -1) or {}
local seen, bytes = 0, 0
local ids, tasks, dropped = {}, {}, {}
while seen < #waiting and bytes < budget do
  local id = waiting[#waiting - seen]
  local msg = redis.call('HGET', ARGV[1] .. id, 'msg')
  seen = seen + 1
  if msg then
    bytes = bytes + #msg
    ids[#ids + 1] = id
    tasks[#tasks + 1] = id
    tasks[#tasks + 1] = msg
  else
    dropped[#dropped + 1] = id
  end
end

if seen > 0 then redis.call('RPOP', KEYS[1], seen) end
if #ids > 0 then
  local leases = {}
  for i, id in ipairs(ids) do
    local task = ARGV[1] .. id
    redis.call('HSET', task, 'state', 'active')
    redis.call('HDEL', task, 'pending_since')
    leases[2 * i - 1] = ARGV[3]
    leases[2 * i] = id
  end
  redis.call('LPUSH', KEYS[2], unpack(ids))
  redis.call('ZADD', KEYS[3], unpack(leases))
end

local more = seen == allowed or seen < #waiting
if not starts then return { more and 'ok' or 'empty', tasks, dropped } end

local ASK_AGAIN_MS = { concurrency = 250, rate = 50 } -- no sooner; when a running task ends is not known beforehand
local KEPT_MS = 86400000 -- the number of starts is forgotten so long after the last
local due = starts.due + #ids * starts.step
if #ids > 0 or starts.isNew then
  local text = string.format('%.0f %.0f', math.ceil(due), starts.count + #ids)
  redis.call('SET', KEYS[6], text, 'PX', math.ceil(math.max(KEPT_MS, (due - starts.now) / 1000)))
end
if not limit then return { more and 'ok' or 'empty', tasks, dropped } end
if redis.call('EXISTS', KEYS[1]) == 0 then return { 'empty', tasks, dropped } end
if #ids < allowed then return { 'ok', tasks, dropped } end
local wait_ms = limit == 'rate' and math.ceil((due - SPARE - starts.now) / 1000) or 0
return { limit, tasks, dropped, math.max(wait_ms, ASK_AGAIN_MS[limit]) }
