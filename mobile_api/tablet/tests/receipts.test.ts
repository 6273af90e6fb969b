import { describe, expect, it } from 'vitest'
import { receiptOf } from '@/book/views'
import { randomBytes } from '@/core/bytes'
import { doubtAbout, saysOf, type SignedReceipt } from '@/core/receipts'
import { Safe } from '@/store/safe'
import { handIn } from '@/sync/handin'
import { federation } from './support/federation'
import { FakeServer } from './support/server'
import { evaluation, notDone, photo, PIN, settle, tablet } from './support/tablet'

async function signing() {
  const server = new FakeServer()
  await server.signs()
  return { server, ...(await tablet(server)) }
}
/** An evaluation with one photo that the server has not got yet. */
async function withPhoto(server: FakeServer, safe: Safe) {
  const kept = await photo('v1', randomBytes(300))
  await safe.change({ media: { add: [kept] } })
  const declared = { ...kept.media, state: 'declared' as const }
  await safe.say('submit_evaluation', evaluation('v1', [kept.media]), 1, { media: { meta: [declared] } })
  return { arrives: () => server.verified.add(kept.media.sha256), state: () => safe.media.get(kept.media.sha256)?.state }
}
const says = (safe: Safe) => (safe.state.receipt ? saysOf(safe.state.receipt) : null)

describe('a receipt of the server', () => {
  it('is checked, kept, and proves what was said up to its number', async () => {
    const { safe, db, engine } = await signing()
    await safe.say('record_not_done', notDone('a'), 1)
    await safe.say('record_not_done', notDone('b'), 1)
    await settle(engine)
    expect(says(safe)).toMatchObject({ replica: safe.replica, last_seq: 2, chain: safe.state.chain, missing: 0 })
    expect(safe.state.doubt).toBeNull()
    expect(saysOf(safe.outcomes.get(2)?.receipt as SignedReceipt).outcomes).toEqual([[1, 'applied'], [2, 'applied']])
    const again = await Safe.unlock(db, PIN)
    expect(again.state.receipt).toEqual(safe.state.receipt)
  })
  it('is asked for again when the photos have come, and not after that', async () => {
    const { server, safe, engine } = await signing()
    const kept = await withPhoto(server, safe)
    await settle(engine)
    expect([says(safe)?.missing, kept.state()]).toEqual([1, 'declared'])
    kept.arrives()
    await settle(engine)
    expect([says(safe)?.missing, kept.state()]).toEqual([0, 'safe'])
    await settle(engine)
    expect(server.requests.map(({ push, receipt }) => [push !== undefined, receipt === true])).toEqual([
      [true, false], [false, true], [false, false],
    ])
  })
  it('stands under the outcome that a lost answer told', async () => {
    const { server, safe, engine } = await signing()
    await safe.say('record_not_done', notDone('a'), 1)
    server.script = ['lost answer']
    await engine.exchange()
    await settle(engine)
    expect(saysOf(safe.outcomes.get(1)?.receipt as SignedReceipt).outcomes).toEqual([[1, 'applied']])
  })
  it('goes with a hand-in, as a proof', async () => {
    const { server, safe, engine } = await signing()
    const office = await federation()
    server.policy.federation_key = office.spki
    await safe.say('record_not_done', notDone('a'), 1)
    await settle(engine)
    const parts: unknown[] = []
    await handIn(safe, async (_path, body) => {
      parts.push(await office.openJson((body as { sealed: never }).sealed))
      return { status: 201, body: { receipt: 'r', n: (body as { n: number }).n } }
    }, 'revoked', () => undefined)
    expect(parts.at(-1)).toMatchObject({ receipt: safe.state.receipt })
  })
})

describe('a receipt that does not hold', () => {
  const other = (receipt: SignedReceipt, change: object) => ({ ...receipt, said: JSON.stringify({ ...saysOf(receipt), ...change }) })
  it.each([
    ['changed on its way', (receipt: SignedReceipt) => other(receipt, { last_seq: 9 })],
    ['signed with nonsense', (receipt: SignedReceipt) => ({ ...receipt, sig: 'AAAA' })],
    ['no base64', (receipt: SignedReceipt) => ({ ...receipt, sig: '***' })],
    ['of another key', (receipt: SignedReceipt) => ({ ...receipt, sig: btoa('x'.repeat(64)) })],
  ])('because it was %s frees nothing, and is forgotten when one holds', async (_why, tamper) => {
    const { server, safe, engine } = await signing()
    const kept = await withPhoto(server, safe)
    kept.arrives()
    server.tamper = tamper
    await settle(engine)
    expect([safe.state.doubt?.why, safe.state.receipt, kept.state()]).toEqual(['signature', null, 'declared'])
    expect(await safe.bytesOf('media', [...safe.media.keys()][0] as string)).not.toBeNull()
    server.tamper = (receipt) => receipt
    await settle(engine)
    expect([safe.state.doubt, says(safe)?.last_seq, kept.state()]).toEqual([null, 1, 'safe'])
  })
  it('leaves as delivered only what an earlier one signed', async () => {
    const { server, safe, engine } = await signing()
    const words = () => [...safe.log.values()].map((entry) => receiptOf(safe, entry))
    await safe.say('record_not_done', notDone('a'), 1)
    await settle(engine)
    server.tamper = (receipt) => ({ ...receipt, sig: 'AAAA' })
    await safe.say('record_not_done', notDone('b'), 1)
    await settle(engine)
    expect(words()).toEqual(['all_safe', 'only_here'])
    server.tamper = (receipt) => receipt
    await settle(engine)
    expect(words()).toEqual(['all_safe', 'all_safe'])
  })
  it.each(['replica', 'epoch', 'chain', 'last_seq', 'missing'])('when it speaks of another %s', async (name) => {
    const { server, safe, engine } = await signing()
    await safe.say('record_not_done', notDone('a'), 1)
    await settle(engine)
    const says = saysOf(safe.state.receipt as SignedReceipt)
    const key = server.policy.receipt_key ?? ''
    const { replica, epoch, chain, last_seq, missing } = says
    const expected = { replica, epoch, chain, last_seq, missing }
    expect(await doubtAbout(safe.state.receipt as SignedReceipt, key, expected)).toBeNull()
    expect(await doubtAbout(safe.state.receipt as SignedReceipt, key, { ...expected, [name]: 'another' })).toBe('content')
  })
  it('from a server without a key is nothing to wait for', async () => {
    const server = new FakeServer()
    const { safe, engine } = await tablet(server)
    const kept = await withPhoto(server, safe)
    kept.arrives()
    await settle(engine)
    await settle(engine)
    expect([safe.state.receipt, safe.state.doubt, kept.state()]).toEqual([null, null, 'safe'])
    expect(server.requests.filter(({ receipt }) => receipt)).toEqual([])
  })
})
