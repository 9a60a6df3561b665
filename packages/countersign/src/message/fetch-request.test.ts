import { describe, expect, it } from 'vitest'
import { fetchRequest } from './fetch-request.ts'

const url = 'https://good.example/upload?x=1'

function upload(body: BodyInit | null, method = 'POST'): Request {
  return new Request(url, { method, body })
}

async function bytesOf(request: Request, limitBytes: number): Promise<unknown> {
  const { body } = fetchRequest(request)
  return body instanceof Uint8Array || body === undefined ? body : await body.bytes(limitBytes)
}

describe('fetchRequest', () => {
  it('takes method, URL and fields as the platform has them, and changes nothing more', () => {
    const headers = { 'X-Part': 'one', Host: 'good.example' }
    const message = fetchRequest(
      new Request('https://Good.example:443/a/../b?c=%7e', { method: 'patch', headers }),
    )
    expect(message).toMatchObject({
      method: 'patch',
      scheme: 'https',
      authority: 'good.example',
      target: '/b?c=%7e',
      fields: ['host', 'good.example', 'x-part', 'one'],
      body: undefined,
      problem: undefined,
    })
  })

  it('gives a request whose Host is not that of its URL a problem', () => {
    expect(fetchRequest(new Request(url, { headers: { Host: 'evil.example' } })).problem).toBeTypeOf('string')
  })

  it('reads the body up to the limit, again and again, and leaves it to the handler', async () => {
    const request = upload('four')
    const { body } = fetchRequest(request)
    if (body === undefined || body instanceof Uint8Array) throw new Error('expected a source')
    expect(await body.bytes(4)).toEqual(new TextEncoder().encode('four'))
    expect(await body.bytes(4)).toEqual(new TextEncoder().encode('four'))
    expect(await body.bytes(3)).toMatchObject({ problem: 'too-large' })
    expect(await request.text()).toBe('four')
  })

  it('answers at once for a body over the limit, whole or endless', async () => {
    expect(await bytesOf(upload('12345'), 4)).toMatchObject({ problem: 'too-large' })
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1024)) })
    const request = new Request(url, { method: 'POST', body: endless, ...{ duplex: 'half' } })
    expect(await bytesOf(request, 4096)).toMatchObject({ problem: 'too-large' })
  })

  it('says so where the sender breaks off', async () => {
    let sent = false
    const broken = new ReadableStream({
      pull: (controller) => {
        if (sent) controller.error(new Error('connection lost'))
        else controller.enqueue(new Uint8Array(8))
        sent = true
      },
    })
    const request = new Request(url, { method: 'POST', body: broken, ...{ duplex: 'half' } })
    expect(await bytesOf(request, 4096)).toMatchObject({ problem: 'incomplete' })
  })
})
