import { describe, expect, it } from 'vitest'
import { secretFrom } from '../keys/secret.ts'
import { knowCredential } from './known.ts'

describe('knowCredential', () => {
  it('refuses an empty secret, however it is written', () => {
    const weak = expect.objectContaining({ code: 'key-weak' })
    expect(() => knowCredential({ id: 'a', secret: '' })).toThrow(weak)
    expect(() => knowCredential({ id: 'a', secret: secretFrom.hex('') })).toThrow(weak)
    expect(() => knowCredential({ id: 'a', secrets: [{ secret: 'long enough' }, { secret: '' }] })).toThrow(
      weak,
    )
  })

  it('says which credential it refuses, and nothing of its secret', () => {
    const both = { id: 'studio-a', secret: 'correct horse', secrets: [{ secret: 'battery' }] }
    expect(() => knowCredential(both)).toThrow(/^credential "studio-a": give secret or secrets, not both$/)
  })
})
