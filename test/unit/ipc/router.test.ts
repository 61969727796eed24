import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import { type CallName, CALLS, type Devices } from '../../../main/ipc/contract.ts'
import { createRouter, type Handlers } from '../../../main/ipc/router.ts'

const NO_DEVICES: Devices = { devices: [], chosen: null }
const CALL_NAMES = Object.keys(CALLS) as CallName[]

/** Handlers that count how often one of them ran. */
function countingHandlers(overrides: Partial<Handlers> = {}): { readonly handlers: Handlers; runs: () => number } {
  let runs = 0
  const count = <T>(value: T) => (): T => (runs++, value)
  const counted = Object.fromEntries(CALL_NAMES.map((name) => [name, count({})]))
  const handlers = { ...counted, 'devices.list': count(NO_DEVICES), 'devices.probe': count(NO_DEVICES), ...overrides } as Handlers
  return { handlers, runs: () => runs }
}

describe('the router', () => {
  it('hands valid arguments to the handler of that name and returns its value', async () => {
    const { handlers, runs } = countingHandlers()
    expect(await createRouter(handlers)('devices.list', {})).toEqual({ ok: true, value: NO_DEVICES })
    expect(runs()).toBe(1)
  })

  it('runs no handler on arguments that do not fit, whatever they are, and always answers', async () => {
    const { handlers, runs } = countingHandlers()
    const router = createRouter(handlers)
    const junk = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true })
    await fc.assert(fc.asyncProperty(fc.constantFrom(...CALL_NAMES), junk, async (name, args) => {
      fc.pre(!CALLS[name].args.safeParse(args).success)
      const reply = await router(name, args)
      expect(reply.ok ? 'ran' : reply.error.code).toBe('call.invalid')
    }))
    expect(runs()).toBe(0)
  })

  it('refuses arguments beyond those of the contract', async () => {
    const { handlers, runs } = countingHandlers()
    const router = createRouter(handlers)
    for (const args of [undefined, null, [], 0, '', { extra: 1 }, JSON.parse('{"__proto__": {"extra": 1}}')]) {
      expect(await router('app.info', args)).toMatchObject({ ok: false, error: { code: 'call.invalid' } })
    }
    expect(runs()).toBe(0)
  })

  it('knows no other names, inherited ones included', async () => {
    const { handlers, runs } = countingHandlers()
    const router = createRouter(handlers)
    for (const name of ['constructor', '__proto__', 'toString', 'app', '', 7, null, undefined, ['app.info'], Symbol('app.info')]) {
      expect(await router(name, {})).toMatchObject({ ok: false, error: { code: 'call.invalid' } })
    }
    await fc.assert(fc.asyncProperty(fc.anything(), async (name) => {
      fc.pre(!CALL_NAMES.some((known) => known === name))
      expect(await router(name, {})).toMatchObject({ ok: false, error: { code: 'call.invalid' } })
    }))
    expect(runs()).toBe(0)
  })

  it('returns foreseen errors as they were thrown', async () => {
    const error = new HalfstepError('device.failed', 'The device did not answer.', 'Try again.', { device: 'cpu' })
    const { handlers } = countingHandlers({ 'devices.probe': () => Promise.reject(error) })
    expect(await createRouter(handlers)('devices.probe', {})).toEqual({ ok: false, error: error.toValue() })
  })

  it('says in a sentence what the database ran into', async () => {
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    const { handlers } = countingHandlers({ 'devices.probe': () => Promise.reject(full) })
    expect(await createRouter(handlers)('devices.probe', {})).toMatchObject({
      ok: false, error: { code: 'file.unwritable', message: 'The disk with the library is full.' },
    })
  })

  it('returns everything else as internal, an answer that breaks the contract included', async () => {
    const wrong = { devices: 'none' } as unknown as Devices
    const { handlers } = countingHandlers({
      'devices.list': () => wrong,
      'devices.probe': () => {
        throw new TypeError('a defect')
      },
    })
    const router = createRouter(handlers)
    expect(await router('devices.list', {})).toMatchObject({ ok: false, error: { code: 'internal' } })
    expect(await router('devices.probe', {})).toMatchObject({ ok: false, error: { code: 'internal', message: 'a defect' } })
  })
})
