import { type CallInput, type CallName, type CallResult, type EventName, type EventPayload, isCallName, isEventName } from './contract.ts'
import type { ErrorValue } from '../engine/errors.ts'

/** How a call ends on the caller's side. Errors are values, because what is thrown loses its type at a process border. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: ErrorValue }

/** What carries calls and events from one side to the other: Electron's IPC, a socket, a function in a test. */
export interface Transport {
  invoke(name: CallName, args: unknown): Promise<unknown>
  /** Calls the listener for each event of that name until the returned function is called. */
  subscribe(name: EventName, listener: (payload: unknown) => void): () => void
}

/** What the page sees of the rest of the system, as `window.halfstep`. */
export interface Bridge {
  call<N extends CallName>(name: N, args: CallInput<N>): Promise<Reply<CallResult<N>>>
  on<N extends EventName>(name: N, listener: (payload: EventPayload<N>) => void): () => void
}

/** Where a dropped file lies, which only a preload script is told. */
export interface PathsOfFiles<File> {
  /** Empty for what is no file of this machine's disks. */
  pathOf(file: File): string
}

/** The bridge over a transport: exactly the calls and events of the contract. The receiving side checks what they carry. */
export function createBridge(transport: Transport): Bridge {
  return {
    call(name, args) {
      if (!isCallName(name)) throw new TypeError('No such call.')
      return transport.invoke(name, args) as Promise<Reply<CallResult<typeof name>>>
    },
    on(name, listener) {
      if (!isEventName(name)) throw new TypeError('No such event.')
      return transport.subscribe(name, (payload) => listener(payload as EventPayload<typeof name>))
    },
  }
}
