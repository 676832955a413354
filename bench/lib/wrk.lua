-- Requests are made once and cycled through, so that wrk itself stays cheap.
-- Arguments: how many users, bytes of body (0: the usual prediction), the Host header
-- (%d: the number of a service), how many services, one extra header ("name: value" or "").
local prediction =
  '{"sepalLength":5.1,"sepalWidth":3.5,"petalLength":1.4,"petalWidth":0.2,"requestedBy":"bench-client"}'
local requests, at = {}, 0

function init(args)
  local users, bytes, host, services = tonumber(args[1]), tonumber(args[2]), args[3], tonumber(args[4])
  local body = bytes > 0 and string.rep("x", bytes) or prediction
  for i = 1, users do
    local headers = { ["x-user-id"] = "u" .. (i - 1), ["content-type"] = "application/json" }
    if host and host ~= "" then headers["Host"] = string.format(host, (i * 7919) % services) end
    local name, value = string.match(args[5] or "", "^([^:]+): (.*)$")
    if name then headers[name] = value end
    requests[i] = wrk.format("POST", wrk.path, headers, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '\n@{"requests":%d,"durationUs":%d,"errors":%d,"p50Ms":%.3f,"p99Ms":%.3f}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
