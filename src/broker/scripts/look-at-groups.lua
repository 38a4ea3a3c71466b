#!lua flags=allow-oom
-- Which groups are ready to be made one task, and when the next one will be. Part of Go's ListGroups and
-- AggregationCheck; unlike there, one call looks at many groups, and of the servers of a queue one at a time.
--
-- KEYS[1] groups
-- KEYS[2] who looks at present; not asynq's
-- ARGV[1] a group's key without its name
-- ARGV[2] where the last call ended; 0 at first
-- ARGV[3] how many groups, about
-- ARGV[4] now, ARGV[5] grace period, ARGV[6] longest delay (0: none); seconds, fractions too
-- ARGV[7] largest size (0: none)
-- ARGV[8] who asks
-- ARGV[9] milliseconds for which others are not to look
-- Returns false: another looks; or { where to go on or 0, { ready group, ... }, second in which the next is ready or false }
local now, grace, longest = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local largest = tonumber(ARGV[7])

local function added_at(group, rank)
  return tonumber(redis.call('ZRANGE', group, rank, rank, 'WITHSCORES')[2])
end

-- An empty group is ready: to be taken off the list.
local function ready_at(group)
  local size = redis.call('ZCARD', group)
  if size == 0 or (largest > 0 and size >= largest) then return now end
  local at = added_at(group, -1) + grace
  if longest > 0 then at = math.min(at, added_at(group, 0) + longest) end
  return at
end

if redis.call('EXISTS', KEYS[1]) == 0 then return { '0', {}, false } end
local looker = redis.call('GET', KEYS[2])
if not looker then
  redis.call('SET', KEYS[2], ARGV[8], 'PX', ARGV[9])
elseif looker ~= ARGV[8] then
  return false
end

local page = redis.call('SSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local ready, next_ready = {}, false
for _, name in ipairs(page[2]) do
  local at = ready_at(ARGV[1] .. name)
  if at <= now then
    ready[#ready + 1] = name
  elseif not next_ready or at < next_ready then
    next_ready = at
  end
end
return { page[1], ready, next_ready and string.format('%.3f', next_ready) }
