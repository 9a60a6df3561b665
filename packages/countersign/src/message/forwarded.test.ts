import { BlockList } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forwardedOrigin, trustedHops } from './forwarded.ts'

describe('trustedHops', () => {
  it('trusts nobody by default', () => {
    const trusts = trustedHops([])
    expect([trusts('127.0.0.1'), trusts('::1'), trusts(undefined)]).toEqual([false, false, false])
  })

  it('trusts single addresses and whole networks', () => {
    const trusts = trustedHops(['192.0.2.7', '10.0.0.0/8', '2001:db8::/33', 'fd00::1'])
    const trusted = ['192.0.2.7', '10.255.1.2', '2001:db8:7fff::', 'fd00:0:0::1', 'FD00::1']
    const others = ['192.0.2.8', '11.0.0.0', '2001:db8:8000::', 'fd00::2', '::1', '', 'localhost']
    expect(trusted.filter(trusts)).toEqual(trusted)
    expect(others.filter(trusts)).toEqual([])
  })

  it('takes an IPv4 address and its mapped form for one', () => {
    expect(trustedHops(['10.0.0.0/8'])('::ffff:10.1.2.3')).toBe(true)
    expect(trustedHops(['10.0.0.0/8'])('::ffff:a01:203')).toBe(true)
    expect(trustedHops(['::ffff:10.0.0.1'])('10.0.0.1')).toBe(true)
    expect(trustedHops(['10.0.0.0/8'])('::10.1.2.3')).toBe(false)
  })

  it('ignores the zone of a link-local address', () => {
    expect(trustedHops(['fe80::/10'])('fe80::1%eth0')).toBe(true)
  })

  it('trusts the peers of a Unix socket where told so', () => {
    expect(trustedHops(['unix'])(undefined)).toBe(true)
    expect(trustedHops(['unix'])('127.0.0.1')).toBe(false)
  })

  it('refuses what is no address, no network or a network with bits behind its prefix', () => {
    const wrong = [
      '',
      'localhost',
      '10.0.0.1/8',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/08',
      '10.0.0',
      '010.0.0.1',
    ]
    wrong.push(
      '::1::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      'fd00::/129',
      '::1/64',
      'g::',
      '1.2.3.4:80',
      '*',
    )
    for (const entry of wrong) {
      expect(() => trustedHops([entry]), entry).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })

  it('agrees with the block list of Node about every address near a network', () => {
    const cases = fc.constantFrom(32, 128).chain((width) =>
      fc.record({
        width: fc.constant(width),
        bits: fc.integer({ min: 0, max: width }),
        base: fc.bigInt(0n, (1n << BigInt(width)) - 1n),
        flipped: fc.integer({ min: 0, max: width - 1 }),
      }),
    )
    fc.assert(
      fc.property(cases, ({ width, bits, base, flipped }) => {
        const hostBits = BigInt(width - bits)
        const network = (base >> hostBits) << hostBits
        const family = width === 32 ? 'ipv4' : 'ipv6'
        const list = new BlockList()
        list.addSubnet(written(network, width), bits, family)
        const trusts = trustedHops([`${written(network, width)}/${bits}`])
        for (const address of [base, base ^ (1n << BigInt(flipped))]) {
          expect(trusts(written(address, width))).toBe(list.check(written(address, width), family))
        }
      }),
      { numRuns: 500 },
    )
  })
})

/** Writes an address of 32 or 128 bits. */
function written(address: bigint, width: number): string {
  if (width === 32) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join('.')
  const groups = [7n, 6n, 5n, 4n, 3n, 2n, 1n, 0n].map((i) => (address >> (16n * i)) & 0xffffn)
  return groups.map((group) => group.toString(16)).join(':')
}

describe('forwardedOrigin', () => {
  it('says nothing where no hop said anything', () => {
    expect(forwardedOrigin(['Host', 'inner'])).toEqual({ authority: undefined, scheme: undefined })
  })

  it('reads the X-Forwarded fields', () => {
    expect(forwardedOrigin(['X-Forwarded-Host', 'a.example:8443', 'x-forwarded-proto', 'HTTPS'])).toEqual({
      authority: 'a.example:8443',
      scheme: 'https',
    })
  })

  it('reads the one element of Forwarded', () => {
    const value = 'for=192.0.2.60;Proto=https; host="a.example:8443";by=_hidden;'
    expect(forwardedOrigin(['Forwarded', value])).toEqual({ authority: 'a.example:8443', scheme: 'https' })
  })

  it('takes both kinds where they agree', () => {
    const lines = ['Forwarded', 'host=a.example;proto=https', 'X-Forwarded-Host', 'A.example']
    expect(forwardedOrigin([...lines, 'X-Forwarded-Proto', 'https'])).toEqual({
      authority: 'a.example',
      scheme: 'https',
    })
  })

  const ambiguous: Readonly<Record<string, readonly string[]>> = {
    'two X-Forwarded-Host lines': ['X-Forwarded-Host', 'a', 'X-Forwarded-Host', 'a'],
    'a list in X-Forwarded-Host': ['X-Forwarded-Host', 'a, b'],
    'an empty X-Forwarded-Host': ['X-Forwarded-Host', ''],
    'an X-Forwarded-Host with a path': ['X-Forwarded-Host', 'a/b'],
    'an X-Forwarded-Host with a user': ['X-Forwarded-Host', 'u@a'],
    'two X-Forwarded-Proto lines': ['X-Forwarded-Proto', 'https', 'X-Forwarded-Proto', 'https'],
    'a list in X-Forwarded-Proto': ['X-Forwarded-Proto', 'https,http'],
    'an empty X-Forwarded-Proto': ['X-Forwarded-Proto', ''],
    'another scheme': ['X-Forwarded-Proto', 'wss'],
    'two Forwarded lines': ['Forwarded', 'host=a', 'Forwarded', 'host=a'],
    'two elements in Forwarded': ['Forwarded', 'host=a,host=b'],
    'a parameter of Forwarded twice': ['Forwarded', 'host=a;HOST=b'],
    'a Forwarded that cannot be parsed': ['Forwarded', 'host=a b'],
    'an unclosed quote in Forwarded': ['Forwarded', 'host="a'],
    'an escape in Forwarded': ['Forwarded', 'host="a\\b"'],
    'a host in Forwarded and another one beside it': ['Forwarded', 'host=a', 'X-Forwarded-Host', 'b'],
    'a scheme in Forwarded and another one beside it': [
      'Forwarded',
      'proto=https',
      'X-Forwarded-Proto',
      'http',
    ],
  }
  for (const [name, lines] of Object.entries(ambiguous)) {
    it(`says what is wrong with ${name}`, () => expect(forwardedOrigin(lines)).toBeTypeOf('string'))
  }

  it('takes time in proportion to a hostile Forwarded', () => {
    const took = (text: string): number => {
      const start = performance.now()
      forwardedOrigin(['Forwarded', text])
      return performance.now() - start
    }
    for (const unit of ['a=b;', 'a=";', ';', '=', 'a', ' ', '"', 'a= ']) {
      took(unit.repeat(1000))
      expect(took(unit.repeat(16_384)), unit).toBeLessThan(50)
    }
  })
})
