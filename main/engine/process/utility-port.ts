import type { ParentPort } from './parent-port.ts'

/** The part of Electron's `process.parentPort` that is used here; the engine itself does not know Electron. */
interface MessagePortLike {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown
}

/** The line to an Electron host that started this process with `utilityProcess.fork`. Throws when none did. */
export function utilityPort(port: unknown = Reflect.get(process, 'parentPort')): ParentPort {
  if (!isMessagePort(port)) throw new Error('The engine is started by Halfstep and does nothing by itself.')
  return {
    // Electron does not tell when a message has left; it hands it over within the turn of the event loop.
    send: (message) => new Promise((resolve) => {
      port.postMessage(message)
      setImmediate(resolve)
    }),
    onMessage: (listener) => void port.on('message', ({ data }) => listener(data)),
    // Nothing to listen for: Electron ends utility processes together with their host.
    onClose: () => undefined,
  }
}

function isMessagePort(port: unknown): port is MessagePortLike {
  return typeof port === 'object' && port !== null && 'postMessage' in port && 'on' in port
}
