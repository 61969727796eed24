/** How a process ended: by itself with a code, or by a signal; neither when it could not be started. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: string | null
  /** Why it could not be started. */
  readonly problem?: string
}

/** What the host hears of an engine process. */
export interface ProcessListeners {
  readonly message: (message: unknown) => void
  /** The process is alive: called about once a second, also while a run blocks its main thread. */
  readonly heartbeat: () => void
  /** Text it wrote to its output or error stream. */
  readonly output: (text: string) => void
  /** Called once, after every message has been delivered. */
  readonly end: (end: ProcessEnd) => void
}

/** A running engine process. */
export interface EngineProcess {
  readonly pid: number | undefined
  /** Sends a message by structured clone; silently nothing once the process has ended, for `end` tells. */
  readonly send: (message: unknown) => void
  /** Ends it at once (SIGKILL), whatever it is doing. */
  readonly kill: () => void
}

/**
 * Starts the engine's process: `child_process.fork` for the command line and the local host, `utilityProcess` under Electron.
 * The process's end must follow the host's: whoever starts it gives it a channel whose closing it notices.
 */
export type ProcessLauncher = (listeners: ProcessListeners) => EngineProcess
