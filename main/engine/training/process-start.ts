/** Telling a process that runs from one that had the same number before. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * When a process began, as the system writes it: letters and digits that no later process of the same number has. Undefined for one
 * that is gone, that has ended and waits to be collected, or that the system does not tell about.
 */
export async function processStart(pid: number): Promise<string | undefined> {
  try {
    const text = await (process.platform === 'linux' ? linuxStart(pid) : askedStart(pid))
    return text?.replace(/[^A-Za-z0-9]+/g, '') || undefined
  } catch {
    return undefined
  }
}

/** Whether a process with this number is there, whoever's it is. */
export function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** proc_pid_stat(5): the name in brackets may hold anything; after it, the state is the 1st field and the start the 20th. */
async function linuxStart(pid: number): Promise<string | undefined> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? 'ended' : fields[19]
}

async function askedStart(pid: number): Promise<string> {
  const [program, ...args] = process.platform === 'win32'
    ? ['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]
    : ['ps', '-o', 'lstart=', '-p', String(pid)]
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC0' }
  const { stdout } = await promisify(execFile)(program, args, { env, timeout: 10_000, windowsHide: true })
  return stdout
}
