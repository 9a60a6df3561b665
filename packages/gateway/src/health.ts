import { send, sendAnswer } from './answer.ts'
import type { Exchange } from './exchange.ts'

/** Path of the health answer, on the same listener. It is never passed on, and no signature is asked for. */
const healthPath = '/.countersign/health'

/** Answers below `/.countersign/`: health, and nothing else. 200 while requests can be judged, 503 while they cannot. */
export function sendHealth(exchange: Exchange, isReady: boolean): void {
  const { url, method } = exchange.request
  if (url !== healthPath || (method !== 'GET' && method !== 'HEAD')) sendAnswer(exchange, 'not-found')
  else if (!isReady) sendAnswer(exchange, 'not-ready')
  else
    send(
      exchange,
      200,
      ['Content-Type', 'application/json', 'Cache-Control', 'no-store'],
      '{"status":"ready"}\n',
    )
}
