// A client. Start it: BILLING_SECRET=... npx tsx examples/signed-fetch.ts
import { createSigner, rfc9421 } from 'countersign'
import { signedFetch } from 'countersign/client/fetch'

const { BILLING_SECRET = '', ORIGIN = 'http://localhost:3000' } = process.env

const signer = createSigner({ scheme: rfc9421(), credential: { id: 'billing', secret: BILLING_SECRET } })
const fetch = signedFetch(signer) // signs each call anew, and each redirect within the origin

const answer = await fetch(`${ORIGIN}/invoices`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ amount: 10 }),
})
console.log(answer.status, await answer.text())
