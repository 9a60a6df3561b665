import type { Claim } from 'countersign'
import { describe, expect, it } from 'vitest'
import { clientFields, connectionProblem, type PassedRequest, upstreamFields } from './fields.ts'
import { identityFields, isIdentityName, plainName } from './identity.ts'
import { plainText } from './log.ts'

const passed = (fields: readonly string[], more: Partial<PassedRequest> = {}): string[] | string =>
  upstreamFields({
    method: 'POST',
    fields,
    claim: undefined,
    peer: '192.0.2.7',
    trusted: false,
    scheme: 'https',
    authority: 'a.test',
    contentLength: undefined,
    ...more,
  })

const claim = (covers: readonly string[]): Claim => ({
  scheme: 'rfc9421',
  keyId: 'k',
  algorithm: undefined,
  covers,
  createdAt: undefined,
  expiresAt: undefined,
  nonce: undefined,
  tag: undefined,
  label: undefined,
  signature: '',
  contentDigest: undefined,
})

const origin = ['X-Forwarded-For', '192.0.2.7', 'X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'a.test']

describe('fields for the upstream', () => {
  it('are those received, then length and origin', () => {
    expect(passed(['Host', 'a.test', 'b', '2', 'B', '1'], { contentLength: 5 })).toEqual([
      'Host',
      'a.test',
      'b',
      '2',
      'B',
      '1',
      'Content-Length',
      '5',
      ...origin,
    ])
  })

  it('from a trusted proxy keep what it says of the origin, and name it as one more hop', () => {
    const fields = [
      'X-Forwarded-For',
      '203.0.113.9',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'b.test',
    ]
    expect(passed(fields, { trusted: true })).toEqual([...fields, 'X-Forwarded-For', '192.0.2.7'])
  })

  it.each([
    ['content-length', ['Content-Length', '5'], { contentLength: 5 }, true],
    ['content-length', ['Content-Length', '05'], { contentLength: 5 }, false],
    ['content-length', ['Content-Length', '0'], { contentLength: 0 }, true],
    ['content-length', ['Content-Length', '0'], { contentLength: 0, method: 'DELETE' }, false],
    ['"te";sf', ['TE', 'trailers'], {}, false],
    ['"x-countersign-key"', ['X-Countersign-Key', 'k'], {}, false],
    ['x-forwarded-for', ['X-Forwarded-For', '10.0.0.1'], {}, false],
    ['x-forwarded-for', ['X-Forwarded-For', '10.0.0.1'], { trusted: true }, true],
    ['x-original-url', ['X-Original-URL', '/x'], {}, true],
    ['content-type', ['Content-Type', 'a/b'], {}, true],
  ] as const)('that are covered arrive or stop the request: %s', (component, fields, more, arrives) => {
    expect(typeof passed(fields, { ...more, claim: claim(['@method', component]) })).toBe(
      arrives ? 'object' : 'string',
    )
  })
})

describe('the Connection field', () => {
  it.each(['close', 'keep-alive', 'Close, TE', 'upgrade, HTTP2-Settings', '', ' , '])(
    'may say "%s"',
    (value) => {
      expect(connectionProblem(['connection', value])).toBeUndefined()
    },
  )

  it.each(['x-one', 'close, authorization', 'te;q=1', '"close"', 'content-length'])(
    'may not say "%s"',
    (value) => {
      expect(connectionProblem(['Host', 'a', 'CONNECTION', value])).toBeDefined()
    },
  )
})

describe('fields for the client', () => {
  it('are those of the upstream without what ends at this hop', () => {
    const fields = [
      'Server',
      'x',
      'Connection',
      'X-Hop, Content-Length',
      'X-Hop',
      '1',
      'Content-Length',
      '2',
      'Keep-Alive',
      'y',
      'X-COUNTERSIGN-OWNER',
      'z',
    ]
    expect(clientFields(fields)).toEqual(['Server', 'x', 'Content-Length', '2'])
  })
})

describe('identity fields', () => {
  it('are plain ASCII whatever the credential holds', () => {
    const credential = {
      id: 'svc:eu/west+1=a,b',
      owner: 'Zo\u00eb 100%\r\nX-Evil: 1',
      rights: ['a,b', 'c d'],
    }
    expect(identityFields({ scheme: 'ustudio-hmac', credential })).toEqual([
      'X-Countersign-Key',
      'svc:eu/west+1=a,b',
      'X-Countersign-Scheme',
      'ustudio-hmac',
      'X-Countersign-Owner',
      'Zo%C3%AB%20100%25%0D%0AX-Evil:%201',
      'X-Countersign-Rights',
      'a%2Cb,c%20d',
    ])
    expect(identityFields({ scheme: 's', credential: { id: 'k', rights: [] } })).toHaveLength(4)
  })

  it.each([
    'X-Countersign-Key',
    'x_countersign_key',
    'X.COUNTERSIGN~KEY',
    'x-countersign',
    'X-Countersign-New',
  ])('are recognised as %s', (name) => {
    expect(isIdentityName(plainName(name))).toBe(true)
  })
})

describe('text in the log', () => {
  it('is printable ASCII and not longer than 256 characters and a note', () => {
    expect(plainText('a\r\n\u001b[2J\u009b\u00e9\u2028"')).toBe('a\\x0d\\x0a\\x1b[2J\\x9b\\xe9\\u2028"')
    expect(plainText('k'.repeat(256))).toHaveLength(256)
    expect(plainText('\u0000'.repeat(100_000)).length).toBeLessThan(300)
  })
})
