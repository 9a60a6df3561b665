/**
 * One writer of the SQLite drill: changes credentials and records nonces without end, and prints a line for each change
 * after it was acknowledged. Started by drill-sqlite.ts, which kills it.
 */
import { writeSync } from 'node:fs'
import { sealer } from '../packages/countersign/src/keys/seal.ts'
import { migrateSql, sqlCredentials, sqlNonces } from '../packages/countersign/src/stores/sql/sql.ts'
import { drillMaster, drillSecret } from './drill-sqlite-secrets.ts'
import { openSqlite } from './sqlite-file.ts'

const [, , path = '', name = ''] = process.argv
const { db } = openSqlite(path)
await migrateSql(db)
const store = sqlCredentials({ db, sealer: sealer(drillMaster) })
const nonces = sqlNonces({ db })

/** Straight into the pipe: what a kill leaves in a buffer of this process would never have been acknowledged. */
function acknowledge(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`)
}

acknowledge('ready')
for (let i = 0; ; i++) {
  const id = `${name}-${i}`
  await store.create({ id, secret: drillSecret(id, 1) })
  acknowledge('created', id)
  await nonces.record(id, Math.floor(Date.now() / 1000) + 600)
  acknowledge('recorded', id)
  for (let version = 2; version <= 1 + (i % 3); version++) {
    await store.rotate(id, { secret: drillSecret(id, version), overlapSeconds: 600 })
    acknowledge('rotated', id, version)
  }
  if (i % 2 === 1) {
    await store.revoke(id)
    acknowledge('revoked', id)
  }
}
