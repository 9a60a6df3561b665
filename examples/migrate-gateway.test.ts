import {
  cavage,
  createSigner,
  flaskHmac,
  flaskHmacauth,
  oauthMac,
  type Scheme,
  ustudioHmac,
} from 'countersign'
import { signedFetch } from 'countersign/client/fetch'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ExampleGateway, startGatewayOn } from './proving/gateway.ts'
import { blocksOf, pageOf, pages } from './proving/pages.ts'
import { type Service, startService } from './proving/service.ts'

interface Call {
  readonly name: string
  /** Text of the configuration that is meant, where the page has several. */
  readonly marker: string
  readonly scheme: Scheme
  readonly method: string
  readonly path: string
  readonly rights: readonly string[]
  /** Status that the original gave to those it refused. */
  readonly refused: number
}

const calls: readonly Call[] = [
  {
    name: 'auth-mac',
    marker: 'django-auth-mac',
    scheme: oauthMac({ profile: 'django-auth-mac' }),
    method: 'GET',
    path: '/items',
    rights: [],
    refused: 401,
  },
  {
    name: 'flask-cavage',
    marker: 'flask-cavage',
    scheme: cavage({ profile: 'flask-cavage' }),
    method: 'POST',
    path: '/items',
    rights: [],
    refused: 401,
  },
  {
    name: 'flask-hmac',
    marker: 'flask-hmac-named-base64',
    scheme: flaskHmac({ variant: 'named-base64' }),
    method: 'GET',
    path: '/orders',
    rights: ['orders'],
    refused: 403,
  },
  {
    name: 'flask-hmacauth',
    marker: 'flask-hmacauth',
    scheme: flaskHmacauth(),
    method: 'GET',
    path: '/api/v1/create',
    rights: ['create'],
    refused: 403,
  },
  {
    name: 'ustudio-hmac-tornado',
    marker: 'ustudio-hmac',
    scheme: ustudioHmac(),
    method: 'POST',
    path: '/v1/videos',
    rights: [],
    refused: 401,
  },
]

it('has a call for each page', () => {
  expect(calls.map(({ name }) => name)).toEqual(pages.map(({ name }) => name))
})

describe.each(calls)(
  'the gateway of the page $name',
  ({ name, marker, scheme, method, path, rights, refused }) => {
    let service: Service
    let gateway: ExampleGateway
    let secret = ''
    let powerless = ''
    beforeAll(async () => {
      service = await startService()
      const [text = ''] = blocksOf(pageOf(name), 'yaml').filter((block) => block.includes(marker))
      expect(text).toMatch(/^upstream: http:\/\/127\.0\.0\.1:\d+$/m)
      gateway = await startGatewayOn(text.replace(/^upstream: .*$/m, `upstream: ${service.origin}`))
      secret = await gateway.createKey('billing', rights)
      if (rights.length > 0) powerless = await gateway.createKey('reader', [])
    }, 30_000)
    afterAll(async () => {
      await gateway?.stop()
      await service?.close()
    })

    const call = (id: string, own: string) => {
      const body =
        method === 'POST' ? { body: '{"amount":10}', headers: { 'Content-Type': 'application/json' } } : {}
      const client = signedFetch(createSigner({ scheme, credential: { id, secret: own } }))
      return client(`http://127.0.0.1:${gateway.port}${path}`, { method, ...body })
    }

    it('lets in who signs in the old scheme, and nobody else', async () => {
      expect((await call('billing', secret)).status).toBe(200)
      const [received, ...more] = service.take()
      expect(received).toMatchObject({ method, target: expect.stringContaining(path) })
      expect(received?.fields).toContainEqual(['X-Countersign-Key', 'billing'])
      expect(more).toEqual([])

      expect((await call('billing', 'another secret')).status).toBe(refused)
      expect((await call('nobody', secret)).status).toBe(refused)
      if (rights.length > 0) expect((await call('reader', powerless)).status).toBe(403)
      expect(service.take()).toEqual([])
    })
  },
)
