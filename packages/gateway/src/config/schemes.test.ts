import { readdirSync, readFileSync } from 'node:fs'
import { CountersignError, cavage, flaskHmac, flaskHmacauth, oauthMac, type Scheme } from 'countersign'
import { describe, expect, it } from 'vitest'
import { readConfig } from './read.ts'
import { schemeNames } from './schemes.ts'

/** What is wrong with a list of schemes, which starts in line 2. */
const problems = (...entries: readonly string[]): readonly string[] => {
  const list = entries.map((entry) => `  - ${entry}\n`).join('')
  const read = readConfig(`schemes:\n${list}upstream: echo\nroutes: [{ path: / }]\n`)
  return read.ok
    ? []
    : read.problems.map(({ line, column, setting, message }) => `${line}:${column} ${setting}: ${message}`)
}

describe('the schemes of a configuration', () => {
  it('are names, or names with options, in one list', () => {
    const text = `upstream: echo
schemes:
  - rfc9421
  - { name: flask-hmacauth, digest: sha256, validSeconds: 10, compatible: [unsigned-forms] }
  - { name: cavage, compatible: [date-weekday] }
  - name: oauth-mac
    profile: django-auth-mac
    port: 8000
  - { name: flask-hmac, variant: body-base64, header: X-Sig, keyId: shared }
routes: [{ path: /, schemes: [{ name: ustudio-hmac, query: strict }] }]
`
    expect(readConfig(text)).toMatchObject({
      ok: true,
      config: {
        schemes: [
          'rfc9421',
          { name: 'flask-hmacauth', digest: 'sha256', validSeconds: 10, compatible: ['unsigned-forms'] },
          { name: 'cavage', compatible: ['date-weekday'] },
          { name: 'oauth-mac', profile: 'django-auth-mac', port: 8000 },
          { name: 'flask-hmac', variant: 'body-base64', header: 'X-Sig', keyId: 'shared' },
        ],
        routes: [{ schemes: [{ name: 'ustudio-hmac', query: 'strict' }] }],
      },
    })
  })

  it('may each be named in an object without options', () => {
    expect(problems(...schemeNames.map((name) => `{ name: ${name} }`))).toEqual([])
  })

  it('take every option that can be data', () => {
    expect(
      problems(
        '{ name: rfc9421, fieldTypes: { x-list: list, x-item: item, x-dict: dictionary } }',
        '{ name: flask-hmacauth, signatureHeader: X-Sig, keyId: a, methods: [GET], singleUse: true, strict: true }',
        '{ name: flask-hmac, variant: path, digest: sha512, encoding: hex, compatible: [leading-slashes] }',
        '{ name: flask-hmac-named-base64, header: X-Sig, compatible: [unsigned-forms] }',
        '{ name: oauth-mac, compatible: [any-time], rememberSeconds: 3600, clockOffsetSeconds: { a: -60 } }',
        '{ name: django-auth-mac, port: 8000, compatible: [encoded-slash] }',
        '{ name: cavage, headers: [(request-target), host, date], singleUse: true, keyIds: word, realm: x }',
        '{ name: cavage, profile: draft, headers: { GET: [host, date], "*": [date] }, time: created }',
        '{ name: cavage, profile: flask-cavage, compatible: [unsigned-query] }',
        '{ name: flask-cavage, keyIds: word, compatible: [md5-digest] }',
      ),
    ).toEqual([])
  })

  it('are right wherever the documentation writes one with options', () => {
    const docs = new URL('../../../../docs/migrate/', import.meta.url)
    const pages = [
      ...readdirSync(docs).map((name) => new URL(name, docs)),
      new URL('../../README.md', import.meta.url),
    ]
    const written = pages.flatMap(
      (page) => readFileSync(page, 'utf8').match(/(?<=`|- )\{ name: .+?\}(?=`|\n)/g) ?? [],
    )
    expect(written.length).toBeGreaterThan(10)
    expect(problems(...written)).toEqual([])
  })

  it('are told every problem at once, at its line and column', () => {
    expect(
      problems(
        'rfc9422',
        '{ name: hawk }',
        '{ digest: sha256 }',
        '7',
        'flask-hmac',
        '{ name: flask-hmacauth, digset: sha256, digest: md5, compatible: [date-weekday] }',
        '{ name: flask-hmac }',
        '{ name: django-auth-mac, port: 0, profile: draft-01 }',
        '{ name: oauth-mac, clockOffsetSeconds: { a: 1.5 } }',
        '{ name: rfc9421, fieldTypes: { X-A: item, x-b: thing } }',
        '{ name: cavage, headers: { get: [host] } }',
      ),
    ).toEqual([
      expect.stringMatching(/^2:5 schemes\[0\]: expected one of rfc9421, .*flask-cavage, or an object/),
      expect.stringMatching(/^3:7 schemes\[1\]\.name: expected one of rfc9421, .*flask-cavage, flask-hmac$/),
      expect.stringMatching(/^4:5 schemes\[2\]\.name: expected one of rfc9421, /),
      expect.stringMatching(/^5:5 schemes\[3\]: expected one of rfc9421, /),
      expect.stringMatching(/^6:5 schemes\[4\]: expected one of rfc9421, /),
      '7:29 schemes[5].digset: is not a known setting',
      expect.stringMatching(/^7:45 schemes\[5\]\.digest: .*"sha1"/),
      expect.stringMatching(/^7:71 schemes\[5\]\.compatible\[0\]: .*"unsigned-forms"/),
      expect.stringMatching(/^8:5 schemes\[6\]\.variant: .*"body-base64"/),
      expect.stringMatching(/^9:30 schemes\[7\]\.port: /),
      '9:39 schemes[7].profile: is not a known setting',
      expect.stringMatching(/^10:46 schemes\[8\]\.clockOffsetSeconds\.a: /),
      '11:36 schemes[9].fieldTypes.X-A: expected the name of a field in lower case',
      expect.stringMatching(/^11:47 schemes\[9\]\.fieldTypes\.x-b: .*"dictionary"/),
      '12:32 schemes[10].headers.get: expected a method, or *',
    ])
  })

  it('are told what the library refuses, each option at its place', () => {
    expect(
      problems(
        '{ name: flask-hmacauth, signatureHeader: "a b", methods: ["G T"] }',
        '{ name: flask-hmacauth, strict: true, compatible: [unsigned-forms] }',
        '{ name: flask-hmac-path, compatible: [unsigned-forms] }',
        '{ name: oauth-mac, port: 80, rememberSeconds: 4000 }',
        '{ name: oauth-mac, rememberSeconds: 4000, compatible: [any-time, encoded-slash] }',
        '{ name: cavage, compatible: [unsigned-query], headers: [Date] }',
        '{ name: flask-cavage, time: created }',
      ),
    ).toEqual([
      '2:29 schemes[0].signatureHeader: flaskHmacauth signatureHeader: expected the name of a field',
      '2:53 schemes[0].methods: flaskHmacauth methods: expected names of methods',
      '3:43 schemes[1].compatible: flaskHmacauth compatible: expected nothing beside strict',
      expect.stringMatching(/^4:30 schemes\[2\]\.compatible: .*escaped-separators, leading-slashes$/),
      expect.stringMatching(/^5:24 schemes\[3\]\.port: .*draft-01 signs the port of Host$/),
      expect.stringMatching(/^5:34 schemes\[3\]\.rememberSeconds: .*compatible: \['any-time'\]$/),
      expect.stringMatching(/^6:47 schemes\[4\]\.compatible: .*for django-auth-mac also encoded-slash/),
      expect.stringMatching(/^7:21 schemes\[5\]\.compatible: .*got "unsigned-query"$/),
      expect.stringMatching(/^7:51 schemes\[5\]\.headers: .*not "Date"$/),
      expect.stringMatching(/^8:27 schemes\[6\]\.time: .*got "created"$/),
    ])
  })

  it.each(['covers: ["@method"]', 'tag: mine', 'label: sig2', 'nonce: true'])(
    'take no option that would only sign, lest it be read as a demand: rfc9421 with %s',
    (option) => {
      expect(problems(`{ name: rfc9421, ${option} }`)).toEqual([
        expect.stringMatching(/^2:22 schemes\[0\]\.\w+: is not a known setting$/),
      ])
    },
  )

  it.each<[name: string, scheme: (forms: never[]) => Scheme]>([
    ['flask-hmacauth', (compatible) => flaskHmacauth({ compatible })],
    ['flask-hmac-path', (compatible) => flaskHmac({ variant: 'path', compatible })],
    ['flask-hmac-body-base64', (compatible) => flaskHmac({ variant: 'body-base64', compatible })],
    ['django-auth-mac', (compatible) => oauthMac({ profile: 'django-auth-mac', compatible })],
    ['cavage', (compatible) => cavage({ compatible })],
    ['flask-cavage', (compatible) => cavage({ profile: 'flask-cavage', compatible })],
  ])('take every form of old clients that the library has: %s', (name, scheme) => {
    const told = refusal(() => scheme(JSON.parse('["no such form"]')))
    const forms = [...told.replace(/, got .*$/, '').matchAll(/\b[a-z0-9]+(?:-[a-z0-9]+)+\b/g)]
      .map(([form]) => form)
      .filter((form) => !['django-auth-mac', 'body-base64'].includes(form))
    expect(forms.length).toBeGreaterThan(0)
    expect(problems(`{ name: ${name}, compatible: [${forms.join(', ')}] }`)).toEqual([])
  })
})

/** What the library says; its message lists the forms that there are. */
function refusal(make: () => Scheme): string {
  try {
    make()
  } catch (error) {
    if (error instanceof CountersignError) return error.message.slice(error.message.indexOf('expected'))
  }
  return ''
}
