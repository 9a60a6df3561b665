import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cli, run, type Service, startService } from './proving/processes.ts'
import { blocks } from './proving/readme.ts'
import { describeWith } from './proving/tools.ts'

// What `npm start` runs, but for the port and the folder.
describeWith(['bash', 'openssl', 'curl'], 'the sixty seconds of the README', () => {
  let folder = ''
  let demo: Service
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'))
    const args = ['serve', '--demo', '--listen', '127.0.0.1:0', '--data-dir', join(folder, 'data')]
    demo = await startService([cli, ...args], {}, /\n\n.*\n\n[^\n]+\n\n.*\n\n[^\n]+\n/)
  }, 30_000)
  afterAll(async () => {
    await demo?.stop()
    rmSync(folder, { recursive: true })
  })
  const lines = (): readonly string[] =>
    demo
      .out()
      .split('\n')
      .filter((line) => line.startsWith('body='))

  it('print what the README shows', () => {
    const printed = demo
      .out()
      .replace(/localhost:\d+/g, 'localhost:8080')
      .replace(/hexkey:[0-9a-f]{64}/g, 'hexkey:<secret of the demo>')
    expect(blocks.find(({ language }) => language === 'text')?.text.trimEnd()).toBe(printed.trimEnd())
  })

  it('end with a request that passes, as often as it is pasted', async () => {
    for (let times = 0; times < 2; times++) {
      const { out } = await run('bash', ['-c', lines()[0] ?? ''])
      expect(out).toMatch(/^HTTP\/1.1 200 [\s\S]*"caller": "demo"/)
    }
  })

  it('and with the same one changed, which gets the answer that the README shows', async () => {
    const { out } = await run('bash', ['-c', lines()[1] ?? ''])
    expect(out).toMatch(/^HTTP\/1.1 401 /)
    expect(out.split('\r\n\r\n')[1]).toBe(blocks.find(({ language }) => language === 'json')?.text)
  })
})
