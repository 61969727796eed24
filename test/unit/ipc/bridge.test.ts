import { describe, expect, it } from 'vitest'
import { type Bridge, createBridge } from '../../../main/ipc/bridge.ts'

describe('the bridge', () => {
  const sent: unknown[] = []
  let deliver: (payload: unknown) => void = () => undefined
  const bridge = createBridge({
    invoke: async (name, args) => {
      sent.push([name, args])
      return { ok: true, value: { devices: [], chosen: null } }
    },
    subscribe: (name, listener) => {
      sent.push([name])
      deliver = listener
      return () => sent.push(['unsubscribed', name])
    },
  })
  const untyped = bridge as unknown as { [method in keyof Bridge]: (name: string, rest: unknown) => unknown }

  it('carries the calls of the contract and no others', async () => {
    expect(await bridge.call('devices.list', {})).toEqual({ ok: true, value: { devices: [], chosen: null } })
    expect(sent).toEqual([['devices.list', {}]])
    for (const name of ['devices.changed', 'constructor', '__proto__', 'fs.readFile']) {
      expect(() => untyped.call(name, {})).toThrow('No such call')
    }
    expect(sent).toHaveLength(1)
  })

  it('delivers the events of the contract and no others, until told to stop', () => {
    const heard: unknown[] = []
    const stop = bridge.on('devices.changed', (devices) => heard.push(devices))
    deliver({ devices: [], chosen: null })
    stop()
    expect(heard).toEqual([{ devices: [], chosen: null }])
    expect(sent.slice(-2)).toEqual([['devices.changed'], ['unsubscribed', 'devices.changed']])
    expect(() => untyped.on('devices.list', () => undefined)).toThrow('No such event')
  })
})
