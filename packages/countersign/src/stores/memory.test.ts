import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../credentials/credential.ts'
import { Secret, secretBytes, secretFrom } from '../keys/secret.ts'
import { memoryCredentials, staticCredential } from './memory.ts'

const canary = 'correct horse battery staple'

function secretOf(found: Credential | undefined): Uint8Array | undefined {
  const secret = found?.secrets?.[0]?.secret
  return secret instanceof Secret ? secretBytes(secret) : undefined
}

describe('memoryCredentials', () => {
  it('adds and removes one or several while in use, and replaces an id that is added again', () => {
    const store = memoryCredentials([{ id: 'a', secret: 'first' }])
    store.add({ id: 'b', secret: 'second' })
    store.add([
      { id: 'c', secret: 'third' },
      { id: 'a', secret: 'replaced', rights: ['read'] },
    ])
    expect(['a', 'b', 'c'].map((id) => store.find(id, 'rfc9421')?.id)).toEqual(['a', 'b', 'c'])
    expect(secretOf(store.find('a', 'rfc9421'))).toEqual(new TextEncoder().encode('replaced'))
    store.remove('a')
    store.remove(['b', 'c', 'never there', '__proto__'])
    expect(['a', 'b', 'c'].map((id) => store.find(id, 'rfc9421'))).toEqual([undefined, undefined, undefined])
  })

  it('takes ids such as __proto__ and constructor like any other, and knows them only when given', () => {
    const empty = memoryCredentials()
    const filled = memoryCredentials(
      ['__proto__', 'constructor', 'toString', 'then'].map((id) => ({ id, secret: `of ${id}` })),
    )
    for (const id of ['__proto__', 'constructor', 'toString', 'then']) {
      expect(empty.find(id, 'rfc9421')).toBeUndefined()
      expect(secretOf(filled.find(id, 'rfc9421'))).toEqual(new TextEncoder().encode(`of ${id}`))
    }
    expect(({} as { secret?: string }).secret).toBeUndefined()
  })

  it('copies what it is given: later changes to it have no effect', () => {
    const rights = ['read']
    const given = { id: 'a', secret: canary, rights, active: true }
    const store = memoryCredentials([given])
    rights.push('write')
    given.active = false
    given.id = 'b'
    const found = store.find('a', 'rfc9421')
    expect(found?.rights).toEqual(['read'])
    expect(found?.active).toBe(true)
    expect(Object.isFrozen(found)).toBe(true)
    expect(Object.isFrozen(found?.rights)).toBe(true)
    expect(Object.isFrozen(found?.secrets)).toBe(true)
  })

  it('takes an object anew that was changed and added again', () => {
    const given = { id: 'a', secret: 'first' }
    const store = memoryCredentials([given])
    given.secret = 'second'
    store.add(given)
    expect(secretOf(store.find('a', 'rfc9421'))).toEqual(new TextEncoder().encode('second'))
  })

  it('gives the same object each time, so that what a backend derives is derived once', () => {
    const store = memoryCredentials([{ id: 'a', secret: canary }])
    expect(store.find('a', 'rfc9421')).toBe(store.find('a', 'hawk'))
  })

  it('wraps plain secrets at once, in every version, and prints none', () => {
    const store = memoryCredentials([
      { id: 'a', secret: canary },
      { id: 'b', secrets: [{ secret: canary }, { secret: secretFrom.utf8(canary), version: 2 }] },
    ])
    for (const id of ['a', 'b']) {
      const found = store.find(id, 'rfc9421')
      for (const { secret } of found?.secrets ?? []) expect(secret).toBeInstanceOf(Secret)
      for (const text of [
        JSON.stringify(found),
        inspect(found, { depth: 9, showHidden: true }),
        inspect(store),
      ]) {
        expect(text).not.toContain('horse')
      }
    }
  })

  it('takes a weak secret, for old schemes that have such, but not an empty one', () => {
    const store = memoryCredentials([{ id: 'a', secret: 'x' }])
    expect(secretOf(store.find('a', 'rfc9421'))).toEqual(new TextEncoder().encode('x'))
    expect(() => store.add({ id: 'b', secret: '' })).toThrow(expect.objectContaining({ code: 'key-weak' }))
  })

  it('refuses what cannot be a credential, all or nothing, without repeating a secret', () => {
    const store = memoryCredentials()
    const bad: readonly (readonly [code: string, ...unknown[]])[] = [
      ['key-invalid', { id: 'a' }],
      ['key-invalid', { id: 'a', secret: undefined }],
      ['key-invalid', { id: 'a', secret: 42 }],
      ['key-invalid', { id: 'a', secret: new Uint8Array(32) }],
      ['key-invalid', { id: 'a', secret: canary, key: 'both' }],
      ['key-invalid', { id: 'a', secret: canary, secrets: [] }],
      ['key-invalid', { id: 'a', secrets: [] }],
      ['key-invalid', { id: 'a', key: `-----BEGIN PUBLIC KEY-----\n${canary}\n-----END PUBLIC KEY-----` }],
      ['config-invalid', { secret: canary }],
      ['config-invalid', { id: '', secret: canary }],
      ['config-invalid', { id: 7, secret: canary }],
      ['config-invalid', { id: 'twice', secret: canary }, { id: 'twice', secret: 'other' }],
    ]
    for (const [code, ...credentials] of bad) {
      const given = [{ id: 'good', secret: canary }, ...credentials] as Credential[] // wrong on purpose
      expect(() => store.add(given)).toThrow(expect.objectContaining({ code }))
      expect(() => store.add(given)).not.toThrow(/horse/)
      expect(store.find('good', 'rfc9421')).toBeUndefined()
    }
  })
})

describe('staticCredential', () => {
  it('is found by its own id alone', () => {
    const store = staticCredential({ id: 'only', secret: canary })
    expect(store.find('only', 'rfc9421')).toMatchObject({ id: 'only' })
    for (const id of ['', 'Only', 'other', '__proto__']) expect(store.find(id, 'rfc9421')).toBeUndefined()
  })
})
