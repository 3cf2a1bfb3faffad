-- PENDING becomes DONE; a DONE that is there stays: its answer may have been given.
-- KEYS[1] the claim. ARGV: the done claim, its life in ms.
local claim = redis.call('GET', KEYS[1])
if claim and string.byte(claim) == 2 then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
