import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CredentialStore, NonceStore } from 'countersign'
import { describe, expect, it } from 'vitest'
import { requestBytes, signedRequest } from './proving/signed.ts'
import { startStand } from './proving/stand.ts'
import { openSocket, readAnswer, readHead, sendBytes } from './proving/wire.ts'

describe('when something behind the gateway fails', () => {
  const failing: CredentialStore & NonceStore = {
    find: () => {
      throw new Error('a message that may hold anything, such as hunter2')
    },
    record: () => Promise.reject(new Error('disk full')),
  }

  it.each(['credentials', 'nonces'] as const)(
    'a store of %s that fails is 503, and says nothing',
    async (which) => {
      const stand = await startStand({ [which]: failing })
      const answer = await sendBytes(stand.port, requestBytes(await signedRequest()))
      expect([answer.status, stand.outcome(), stand.recorder.bytes]).toEqual([503, 'store-unavailable', 0])
      expect(answer.fields.get('retry-after')).toBe('1')
      expect(`${answer.raw}${JSON.stringify(stand.lines)}`).not.toContain('hunter2')
      await stand.close()
    },
  )

  it('an upstream that is down is 502', async () => {
    const stand = await startStand()
    await stand.recorder.close()
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect([answer.status, stand.outcome()]).toEqual([502, 'upstream-unreachable'])
    await stand.gateway.close()
  })

  it('an upstream that cannot be reached in time is 504', async () => {
    // An address of the documentation range: packets to it go nowhere, or are refused by the first router.
    const stand = await startStand({
      config: { upstream: 'http://192.0.2.1:81', timeouts: { upstreamConnectSeconds: 1, drainSeconds: 1 } },
    })
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect([502, 504]).toContain(answer.status)
    await stand.close()
  })

  it('a spool directory that cannot be written is 503, and the next request passes', async () => {
    const stand = await startStand({
      config: { body: { memoryBytes: 1000, spoolDir: '/nonexistent/spool' } },
    })
    const big = await signedRequest({ method: 'POST', body: randomBytes(5000) })
    const answer = await sendBytes(stand.port, requestBytes(big))
    expect([answer.status, stand.outcome(), stand.recorder.bytes]).toEqual([503, 'spool-failed', 0])
    const small = await signedRequest({ method: 'POST', body: randomBytes(500) })
    expect((await sendBytes(stand.port, requestBytes(small))).status).toBe(200)
    await stand.close()
  })

  it('no temporary file stays open, whatever became of its request', async () => {
    const spoolDir = mkdtempSync(join(tmpdir(), 'outage-test-'))
    const stand = await startStand({
      config: { body: { memoryBytes: 1000, spoolDir }, timeouts: { requestSeconds: 1, headersSeconds: 1 } },
    })
    const body = randomBytes(200_000)
    const requests = await Promise.all(
      Array.from({ length: 12 }, () => signedRequest({ method: 'POST', body })),
    )
    const statuses = await Promise.all(
      requests.map(async (request, i) => {
        const bytes = requestBytes(i % 4 === 1 ? { ...request, body: randomBytes(200_000) } : request)
        if (i % 4 === 2) return (await sendBytes(stand.port, bytes.subarray(0, 150_000))).status
        if (i % 4 !== 3) return (await sendBytes(stand.port, bytes)).status
        const socket = await openSocket(stand.port)
        socket.write(bytes.subarray(0, 150_000), () => socket.destroy())
        return 0
      }),
    )
    expect([...new Set(statuses)].sort()).toEqual([0, 200, 401, 408])
    await stand.close()
    const open = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)]
      } catch {
        return []
      }
    })
    expect(open.filter((path) => path.startsWith(spoolDir))).toEqual([])
    expect(readdirSync(spoolDir)).toEqual([])
    rmSync(spoolDir, { recursive: true })
  })

  it('more requests at once than allowed are 503', async () => {
    const stand = await startStand({ config: { limits: { inFlight: 1 } } })
    const held = await openSocket(stand.port)
    const request = await signedRequest({ method: 'POST', body: Buffer.from('abc') })
    const bytes = requestBytes(request)
      .toString('latin1')
      .replace('\r\n\r\nabc', '\r\nExpect: 100-continue\r\n\r\n')
    held.write(bytes)
    await readHead(held)
    const answer = await sendBytes(stand.port, requestBytes(await signedRequest()))
    expect(answer.status).toBe(503)
    const rest = readAnswer(held)
    held.write('abc')
    expect((await rest).status).toBe(200)
    await stand.close()
  })
})
