-- Voter's token bucket, then the claim; the claim last, because an error half way keeps what was
-- written before it. KEYS: bucket, claim. ARGV: burst, refill per second, pending claim, its life
-- in ms. Gives {wait in ms or 0, the claim that was there or ''}.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local burst, refill = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if held[1] then
  tokens = math.min(burst, tonumber(held[1]) + math.max(0, now - tonumber(held[2])) * refill)
end
if tokens < 1 then
  return {math.ceil((1 - tokens) / refill), ''}
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - 1), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / refill) + 1000)
local claim = redis.call('GET', KEYS[2])
if claim then
  -- The same choice again while PENDING is produced again: the claim lives as long as that may
  -- take, and without its tag, because two requests stand behind it now.
  if string.byte(claim) == 1 and string.sub(claim, 2, 9) == string.sub(ARGV[3], 2, 9) then
    redis.call('SET', KEYS[2], string.sub(claim, 1, 9) .. string.rep('\0', 8), 'PX', ARGV[4])
  end
  return {0, claim}
end
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return {0, ''}
