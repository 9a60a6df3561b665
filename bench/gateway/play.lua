-- Plays the records of a file of pre-signed requests, each once, from the first on. Arguments: path, count, bytes of a record.
local records, count, at = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  count = tonumber(args[2])
  local bytes = tonumber(args[3])
  for i = 1, count do records[i] = file:read(bytes) end
  file:close()
end

function request()
  at = at % count + 1
  return records[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"statuses":%d,"failures":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
