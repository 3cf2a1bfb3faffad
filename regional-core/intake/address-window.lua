-- Sliding window of a minute, as two fixed ones: the one before counts by how much of it still lies
-- in the last 60 s. KEYS[1] the counter's name, ARGV[1] the limit.
-- Gives 0, or the milliseconds after which to try again.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local minute = math.floor(now / 60000)
local held = redis.call('HMGET', KEYS[1], 'minute', 'count', 'before')
local at, count, before = tonumber(held[1]), tonumber(held[2]) or 0, tonumber(held[3]) or 0
if at ~= minute then
  before = (at == minute - 1) and count or 0
  count = 0
end
local passed = now % 60000
if count + before * (60000 - passed) / 60000 >= tonumber(ARGV[1]) then
  return math.max(1000, math.min(60000 - passed, 10000))
end
redis.call('HSET', KEYS[1], 'minute', minute, 'count', count + 1, 'before', before)
redis.call('PEXPIRE', KEYS[1], 120000)
return 0
