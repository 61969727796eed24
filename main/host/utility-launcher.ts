import type { UtilityProcess, utilityProcess } from 'electron'
import type { ProcessLauncher, ProcessListeners } from '../engine/process/launcher.ts'

/** Utility processes have no pipes beyond the standard streams, so the heartbeat shares the output stream. */
const HEARTBEAT_FD = 1

/** Starts engine processes as utility processes of Electron: `entry` is the engine's built program. */
export function utilityLauncher(fork: typeof utilityProcess.fork, entry: string): ProcessLauncher {
  return (listeners) => {
    const child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe'],
      serviceName: 'Halfstep engine',
      env: { ...process.env, HALFSTEP_HEARTBEAT_FD: String(HEARTBEAT_FD) },
    })
    listen(child, listeners)
    return {
      get pid() {
        return child.pid
      },
      send: (message) => child.postMessage(message),
      kill: () => end(child),
    }
  }
}

function listen(child: UtilityProcess, listeners: ProcessListeners): void {
  child.on('message', listeners.message)
  child.on('exit', (code) => listeners.end({ code, signal: null }))
  child.stdout?.on('data', (bytes: Buffer) => {
    listeners.heartbeat()
    const text = bytes.toString('utf8')
    if (!/^\.+$/.test(text)) listeners.output(text)
  })
  child.stderr?.on('data', (bytes: Buffer) => listeners.output(bytes.toString('utf8')))
}

/** Ends the process at once; Electron's own `kill` asks politely first, which a blocked run does not hear. */
function end(child: UtilityProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(child.pid, 'SIGKILL')
  } catch {
    // It has ended by itself in between.
  }
}
