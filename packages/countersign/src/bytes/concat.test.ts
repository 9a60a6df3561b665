import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from './concat.ts'

describe('concatBytes', () => {
  it('joins as Buffer does', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (parts) => {
        expect(concatBytes(parts)).toEqual(new Uint8Array(Buffer.concat(parts)))
      }),
    )
  })

  it('gives bytes of its own, which do not change with the parts', () => {
    const part = Uint8Array.of(1)
    const joined = concatBytes([part])
    part[0] = 2
    expect(joined).toEqual(Uint8Array.of(1))
  })
})
