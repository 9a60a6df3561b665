export {
  type Rotation,
  type SqlCredentials,
  type SqlCredentialsOptions,
  sqlCredentials,
} from './credentials.ts'
export { migrateSql } from './migrate.ts'
export type { NewCredential } from './new-credential.ts'
export { type SqlNoncesOptions, sqlNonces } from './nonces.ts'
export type { CredentialRecord, SecretVersion } from './record.ts'
export type { SqlTables } from './tables.ts'
