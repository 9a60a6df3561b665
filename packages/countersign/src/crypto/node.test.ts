import { describe, expect, it, vi } from 'vitest'
import { backendContract } from '../testing/contracts/backend.ts'
import { backend } from './node.ts'

describe('the node:crypto backend', () => {
  for (const { name, run } of backendContract(backend)) it(name, run)
})
