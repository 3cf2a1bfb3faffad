-- Takes back the PENDING that this request wrote, and no other. KEYS[1] the claim, ARGV[1] its
-- bytes.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
