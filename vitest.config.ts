import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./packages/countersign/src/${path}`, import.meta.url))

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: { '#backend': source('crypto/node.ts') } },
        test: { name: 'countersign', include: ['packages/countersign/src/**/*.test.ts'] },
      },
      { test: { name: 'gateway', include: ['packages/gateway/src/**/*.test.ts'] } },
      { test: { name: 'cli', include: ['packages/cli/src/**/*.test.ts'] } },
      { test: { name: 'examples', include: ['examples/**/*.test.ts'] } },
      { test: { name: 'scripts', include: ['scripts/**/*.test.ts'] } },
    ],
  },
})
