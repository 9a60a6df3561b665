/** The tables of this store, as Kysely sees them. Have your own tables beside them: `Kysely<SqlTables & YourTables>`. */
export interface SqlTables {
  readonly countersign_schema: SchemaTable
  readonly countersign_credentials: CredentialTable
  readonly countersign_nonces: NonceTable
  readonly countersign_forgotten: ForgottenTable
}

/** One row: which version the schema has. */
export interface SchemaTable {
  id: number
  version: number
}

/** One row for each credential. Instants are whole seconds since the epoch; some drivers give them as text. */
export interface CredentialTable {
  id: string
  /** Counts changes, so that of two changes at once the later starts anew from what the earlier wrote. */
  revision: number
  kind: string
  scheme: string | null
  algorithm: string | null
  /** JSON array. */
  rights: string
  owner: string | null
  /** 1 or 0: not every database has booleans. */
  active: number
  created_at: number
  not_before_at: number | null
  expires_at: number | null
  revoked_at: number | null
  /** PEM; `null` where `kind` is `secret`. */
  public_key: string | null
  /** JSON array of versions, without their secrets. */
  versions: string
  /** The secrets of the versions, sealed under all the other columns. */
  sealed: string
}

/** One row for each live replay token. */
export interface NonceTable {
  /** SHA-256 of the token as lower-case hex: one length and one spelling on every database. */
  token: string
  expires_at: number
}

/** One row: through which instant tokens may have been forgotten. */
export interface ForgottenTable {
  id: number
  through_at: number
}
