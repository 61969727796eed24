import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

export const HEARTBEAT_INTERVAL_MS = 1000

/**
 * Proves to the host that this process is alive: a byte a second into the pipe the host opened for it. A thread of its own
 * writes it, because a run of the runtime blocks the main thread for as long as it takes. Resolves when the first one is
 * written, so that no job is taken before a hang would be noticed. Where the host opened no pipe, nothing happens.
 */
export async function startHeartbeat(descriptor: string | undefined = process.env.HALFSTEP_HEARTBEAT_FD): Promise<void> {
  if (descriptor === undefined) return
  const worker = new Worker(new URL('./heartbeat-worker.ts', import.meta.url), { workerData: Number(descriptor), execArgv: [] })
  await once(worker, 'message')
  worker.unref()
}
