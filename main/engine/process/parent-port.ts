/** The engine process's line to its host, whatever started it. */
export interface ParentPort {
  /** Resolves when the message has left this process, so that it may end. */
  readonly send: (message: object) => Promise<void>
  readonly onMessage: (listener: (message: unknown) => void) => void
  /** The host is gone, or wants the engine gone. */
  readonly onClose: (listener: () => void) => void
}

/** The line to a host that forked this process. Throws when nobody did. */
export function forkedPort(): ParentPort {
  const send = process.send?.bind(process)
  if (send === undefined) throw new Error('The engine is started by Halfstep and does nothing by itself.')
  return {
    send: (message) => new Promise((resolve) => send(message, undefined, undefined, () => resolve())),
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  }
}
