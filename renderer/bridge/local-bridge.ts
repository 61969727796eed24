/**
 * `window.halfstep` where no preload script put one: in a browser, over the local host. Calls go by POST, events come over one
 * server-sent stream.
 */
import { type Bridge, createBridge, type Reply } from '../../main/ipc/bridge.ts'

/** Whether this page still hears from its host. */
export type Connection = 'open' | 'lost'

export interface LocalBridgeOptions {
  readonly fetch: typeof fetch
  /** Opens the stream of events. */
  readonly listen: () => EventSource
  /** Told when the host goes silent and when it is back. */
  readonly onConnection?: (connection: Connection) => void
}

const CLOSED: Reply<never> = {
  ok: false,
  error: {
    code: 'host.closed',
    message: 'Halfstep no longer answers.',
    nextStep: 'Start it again and open the address it prints.',
    details: {},
  },
}

export function createLocalBridge({ fetch, listen, onConnection }: LocalBridgeOptions): Bridge {
  const listeners = new Map<string, Set<(payload: unknown) => void>>()
  const events = listen()
  // The first calls wait for the stream, so that nothing happens between an answer and the events that follow it.
  const listening = new Promise<void>((resolve) => {
    events.addEventListener('open', () => resolve())
    events.addEventListener('error', () => resolve())
  })
  events.addEventListener('open', () => onConnection?.('open'))
  events.addEventListener('error', () => onConnection?.('lost'))
  events.addEventListener('message', ({ data }: { readonly data: unknown }) => {
    const event = parseEvent(data)
    for (const listener of listeners.get(event?.name ?? '') ?? []) listener(event?.payload)
  })
  return createBridge({
    async invoke(name, args) {
      await listening
      return post(fetch, JSON.stringify({ name, args }))
    },
    subscribe(name, listener) {
      const those = listeners.get(name) ?? new Set()
      listeners.set(name, those.add(listener))
      return () => those.delete(listener)
    },
  })
}

async function post(send: typeof fetch, body: string): Promise<unknown> {
  try {
    const answer = await send('/call', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    return answer.ok ? await answer.json() : CLOSED
  } catch {
    return CLOSED
  }
}

function parseEvent(data: unknown): { readonly name: string; readonly payload: unknown } | undefined {
  const event: unknown = typeof data === 'string' ? JSON.parse(data) : undefined
  if (typeof event !== 'object' || event === null || !('name' in event) || typeof event.name !== 'string') return undefined
  return { name: event.name, payload: 'payload' in event ? event.payload : undefined }
}
