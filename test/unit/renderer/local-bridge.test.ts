import { describe, expect, it } from 'vitest'
import { createLocalBridge } from '../../../renderer/bridge/local-bridge.ts'

/** A stream of events that a test speaks through. */
class FakeEvents extends EventTarget {
  say(name: string, payload: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ name, payload }) }))
  }
}

const PROBING = { tried: 1, total: 5 }

function bridgeOver(fetch: typeof globalThis.fetch) {
  const events = new FakeEvents()
  const connection: string[] = []
  const listen = () => events as unknown as EventSource
  const bridge = createLocalBridge({ fetch, listen, onConnection: (state) => connection.push(state) })
  return { bridge, events, connection }
}

describe('the bridge of a browser', () => {
  it('posts calls once the events are being listened to, and gives back the reply', async () => {
    const sent: unknown[] = []
    const { bridge, events } = bridgeOver(async (url, init) => {
      sent.push([url, JSON.parse(init?.body as string)])
      return Response.json({ ok: true, value: { found: true } })
    })
    const reply = bridge.call('tasks.cancel', { task: 'a' })
    await Promise.resolve()
    expect(sent).toEqual([])
    events.dispatchEvent(new Event('open'))
    expect(await reply).toEqual({ ok: true, value: { found: true } })
    expect(sent).toEqual([['/call', { name: 'tasks.cancel', args: { task: 'a' } }]])
  })

  it('delivers events to those who listen, until they stop', () => {
    const { bridge, events } = bridgeOver(async () => Response.json({}))
    const heard: unknown[] = []
    const stop = bridge.on('devices.probing', (payload) => heard.push(payload))
    events.say('devices.probing', PROBING)
    events.say('settings.changed', { theme: 'dark', device: 'auto' })
    stop()
    events.say('devices.probing', PROBING)
    expect(heard).toEqual([PROBING])
  })

  it('says that Halfstep is closed when nobody answers, and tells when it is heard again', async () => {
    const { bridge, events, connection } = bridgeOver(async () => Promise.reject(new TypeError('Failed to fetch')))
    events.dispatchEvent(new Event('error'))
    expect(await bridge.call('app.info', {})).toMatchObject({ ok: false, error: { code: 'host.closed' } })
    events.dispatchEvent(new Event('open'))
    expect(connection).toEqual(['lost', 'open'])
  })

  it('takes a refusal for closed too: the cookie is from another time', async () => {
    const { bridge, events } = bridgeOver(async () => new Response('no', { status: 401 }))
    events.dispatchEvent(new Event('open'))
    expect(await bridge.call('app.info', {})).toMatchObject({ ok: false, error: { code: 'host.closed' } })
  })
})
