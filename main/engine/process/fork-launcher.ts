import { fork, type ChildProcess } from 'node:child_process'
import type { ProcessLauncher, ProcessListeners } from './launcher.ts'

export interface ForkOptions {
  /** The program to run; the engine by default. */
  readonly entry?: URL
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** The engine's program beside this file. */
const ENGINE_MAIN = new URL('./engine-main.ts', import.meta.url)

/** Where the heartbeat pipe lies in the child: 0–2 are the standard streams, 3 is the message channel. */
const HEARTBEAT_FD = 4

/** Starts engine processes with `child_process.fork`. */
export function forkLauncher({ entry = ENGINE_MAIN, env = {} }: ForkOptions = {}): ProcessLauncher {
  return (listeners) => {
    const child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', 'pipe'],
      // What started this process (a test runner's loader, a debugger's port) is not for the child.
      execArgv: [],
      env: { ...process.env, ...env, HALFSTEP_HEARTBEAT_FD: String(HEARTBEAT_FD) },
    })
    listen(child, listeners)
    return {
      pid: child.pid,
      send: (message) => {
        if (child.connected) child.send(structuredMessage(message), () => undefined)
      },
      kill: () => child.kill('SIGKILL'),
    }
  }
}

function listen(child: ChildProcess, listeners: ProcessListeners): void {
  child.on('message', listeners.message)
  child.stdio[HEARTBEAT_FD]?.on('data', listeners.heartbeat)
  child.stdout?.setEncoding('utf8').on('data', listeners.output)
  child.stderr?.setEncoding('utf8').on('data', listeners.output)
  // `error` comes alone when the process could not be started, else beside `close`, which waits for all streams.
  child.on('error', ({ message }) => {
    if (child.pid === undefined) listeners.end({ code: null, signal: null, problem: message })
  })
  child.on('close', (code, signal) => {
    if (child.pid !== undefined) listeners.end({ code, signal })
  })
}

/** `send` is typed for JSON; with advanced serialization it takes whatever can be cloned. */
function structuredMessage(message: unknown): object {
  if (typeof message !== 'object' || message === null) throw new TypeError('Messages are objects.')
  return message
}
