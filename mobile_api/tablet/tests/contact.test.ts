import { describe, expect, it } from 'vitest'
import { telephone } from '@/book/telephone'
import { visits } from '@/book/views'
import { FakeServer } from './support/server'
import { python } from './support/standard'
import { settle, tablet } from './support/tablet'

const OLD = { telephone: '13800000000', address: '任家祠村3组' }
const NEW = { telephone: '0817-2345678', address: '桥头第二家' }

describe('a telephone number', () => {
  const typed = ['13812345678', '+86 138 1234 5678', '１３８１２３４５６７８', '0817-2345678', '(0817)2345678', '010 62345678', '12345678901', '2345678', '', 'abc', '0086-13912345678', '02812345678', '\u202d138 1234 5678\u202c', '138\u200b12345678']
  it('is read as the server reads it', () => {
    const script = [
      'import json, sys',
      'from outreach.domain.identity import MalformedTelephone, normalise_telephone',
      'def read(text):',
      '    try: return normalise_telephone(text)',
      '    except MalformedTelephone: return None',
      'print(json.dumps([read(text) for text in json.loads(sys.argv[1])]))',
    ].join('\n')
    const theirs = JSON.parse(python('-c', script, JSON.stringify(typed))) as (string | null)[]
    expect(typed.map(telephone)).toEqual(theirs)
    expect(theirs.filter((one) => one === null).length).toBe(5)
  })
})

describe('a corrected contact', () => {
  const withVisits = async () => {
    const server = new FakeServer()
    const row = (application: string) => ({ application, state: 'scheduled', on: '2018-06-04', start: '09:00', resident: { name: '任某', ...OLD } })
    server.rows.set('visit/v1', row('a1') as never)
    server.rows.set('visit/v2', row('a1') as never)
    server.rows.set('visit/v3', row('a2') as never)
    const held = await tablet(server)
    await settle(held.engine)
    const shown = () => visits(held.safe).map(({ id, pending, resident: { telephone, address } }) => [id, pending, telephone, address])
    return { server, shown, ...held }
  }
  it('is shown at every visit of the case before the office knows, with what was seen in the record', async () => {
    const { server, safe, engine, shown } = await withVisits()
    await safe.say('correct_contact', { application: 'a1', to: NEW, seen: OLD }, 1)
    expect(shown()).toEqual([
      ['v1', true, NEW.telephone, NEW.address],
      ['v2', true, NEW.telephone, NEW.address],
      ['v3', false, OLD.telephone, OLD.address],
    ])
    await settle(engine)
    expect(server.ledger.map(({ mutation: { name, v, args } }) => [name, v, args])).toEqual([
      ['correct_contact', 1, { application: 'a1', to: NEW, seen: OLD }],
    ])
  })
  it('that is in conflict is shown no more: what stands at the office is', async () => {
    const { server, safe, engine, shown } = await withVisits()
    server.decide = () => ({ outcome: 'conflict' })
    await safe.say('correct_contact', { application: 'a1', to: NEW, seen: OLD }, 1)
    await settle(engine)
    expect(shown()[0]).toEqual(['v1', false, OLD.telephone, OLD.address])
  })
})
