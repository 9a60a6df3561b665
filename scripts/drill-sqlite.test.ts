import { expect, it } from 'vitest'
import { drillSqlite } from './drill-sqlite.ts'

it('keeps every acknowledged change, whole, through twenty kills', { timeout: 120_000 }, async () => {
  const { kills, acknowledged, faults } = await drillSqlite({ kills: 20, writers: 5 })
  expect(faults).toEqual([])
  expect(kills).toBe(20)
  // Fewer would mean that the writers were killed before they did anything.
  expect(acknowledged).toBeGreaterThan(100)
})
