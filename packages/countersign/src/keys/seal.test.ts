import { createDecipheriv, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { base64urlDecode, base64urlEncode } from '../bytes/base64.ts'
import { generateSecret } from './generate.ts'
import { sealer } from './seal.ts'

const master = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
const context = ['credential', 'billing', '1', 'hmac-sha256']
const plain = new TextEncoder().encode('correct horse battery staple')

/** Opens sealed text with nothing but node:crypto. */
function openWithNode(sealed: string, context: readonly string[]): Buffer {
  const [, , iv = '', text = ''] = sealed.split('.')
  const bytes = Buffer.from(text, 'base64url')
  const key = Buffer.from(hkdfSync('sha256', master, '', 'countersign seal v1', 32))
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'))
  const parts = ['countersign seal v1', ...context].map((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(part))
    return Buffer.concat([length, Buffer.from(part)])
  })
  decipher.setAAD(Buffer.concat(parts))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()])
}

const keyInvalid: unknown = expect.objectContaining({ code: 'key-invalid' })

describe('sealer', () => {
  it('opens what it sealed, of any length', async () => {
    const { seal, open } = sealer(master)
    for (const bytes of [new Uint8Array(), plain, generateSecret(1024)]) {
      expect(await open(await seal(bytes, context), context)).toEqual(bytes)
    }
  })

  it('seals so that AES-256-GCM and HKDF of node:crypto open it', async () => {
    const sealed = await sealer(master).seal(plain, context)
    expect(sealed).toMatch(/^v1\.[\w-]{11}\.[\w-]{16}\.[\w-]{59}$/)
    expect(new Uint8Array(openWithNode(sealed, context))).toEqual(plain)
  })

  it('never gives the same text twice', async () => {
    const { seal } = sealer(master)
    const texts = await Promise.all(Array.from({ length: 200 }, () => seal(plain, context)))
    expect(new Set(texts.map((text) => text.split('.')[2])).size).toBe(200)
  })

  it('opens under the same key made again, as after a restart', async () => {
    const sealed = await sealer(master).seal(plain, context)
    expect(await sealer(master.slice()).open(sealed, context)).toEqual(plain)
  })

  it('is not changed by what happens to the bytes it was made from', async () => {
    const given = master.slice()
    const { seal } = sealer(given)
    given.fill(9)
    expect(await sealer(master).open(await seal(plain, context), context)).toEqual(plain)
  })

  it('refuses every changed character of the text', async () => {
    const { seal, open } = sealer(master)
    const sealed = await seal(plain, context)
    for (let i = 0; i < sealed.length; i++) {
      for (const other of ['A', 'B', '.', '=', ' ', 'é', '']) {
        if (other === sealed[i]) continue
        const changed = sealed.slice(0, i) + other + sealed.slice(i + 1)
        await expect(open(changed, context)).rejects.toEqual(keyInvalid)
      }
    }
  })

  it('refuses every flipped bit of IV, ciphertext and tag', async () => {
    const { seal, open } = sealer(master)
    const parts = (await seal(plain, context)).split('.')
    for (const part of [2, 3]) {
      const bytes = base64urlDecode(parts[part] ?? '') ?? new Uint8Array()
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice()
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const text = parts.with(part, base64urlEncode(flipped)).join('.')
        await expect(open(text, context)).rejects.toEqual(keyInvalid)
      }
    }
  })

  it('refuses text cut off anywhere, and text that was never sealed', async () => {
    const { seal, open } = sealer(master)
    const sealed = await seal(plain, context)
    for (let length = 0; length < sealed.length; length++) {
      await expect(open(sealed.slice(0, length), context)).rejects.toEqual(keyInvalid)
    }
    for (const text of [
      '',
      'v1',
      'v1...',
      'v2.a.b.c',
      `${sealed}.`,
      `${sealed}.x`,
      ` ${sealed}`,
      `${sealed}\n`,
    ]) {
      await expect(open(text, context)).rejects.toEqual(keyInvalid)
    }
  })

  it('opens under no other context, however its parts are cut', async () => {
    const { seal, open } = sealer(master)
    const sealed = await seal(plain, ['a', 'bc', ''])
    for (const other of [
      ['a', 'bc'],
      ['ab', 'c', ''],
      ['a', 'b', 'c'],
      ['a', 'bc', '', ''],
      ['', 'a', 'bc'],
      [],
      ['abc'],
    ]) {
      await expect(open(sealed, other)).rejects.toEqual(keyInvalid)
    }
    expect(await open(sealed, ['a', 'bc', ''])).toEqual(plain)
  })

  it('says that another master key was used, and nothing of the content', async () => {
    const sealed = await sealer(master).seal(plain, context)
    const failure: unknown = await sealer(generateSecret())
      .open(sealed, context)
      .catch((cause: unknown) => cause)
    expect(failure).toMatchObject({
      code: 'key-invalid',
      message: expect.stringContaining('another master key'),
    })
    expect(String(failure)).not.toContain(sealed.split('.')[3])
  })

  it('refuses a master key of another length, or one that is no key at all', () => {
    for (const length of [0, 16, 31, 33, 64]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i)
      expect(() => sealer(bytes)).toThrow(expect.objectContaining({ code: 'key-invalid' }))
    }
    expect(() => sealer(new Uint8Array(32))).toThrow('equal ones')
    expect(() => sealer(new Uint8Array(32).fill(255))).toThrow('equal ones')
  })
})
