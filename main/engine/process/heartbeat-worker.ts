/** The heartbeat's thread: see heartbeat.ts. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { HEARTBEAT_INTERVAL_MS } from './heartbeat.ts'

const descriptor: unknown = workerData

function beat(): void {
  try {
    if (typeof descriptor === 'number') writeSync(descriptor, '.')
  } catch (problem) {
    // A host that is merely slow to read fills the pipe; one that is gone has closed it. The main thread may be blocked in a
    // run that nobody waits for any more, so the whole process is ended from here.
    if (!isFullPipe(problem)) process.kill(process.pid, 'SIGKILL')
  }
}

function isFullPipe(problem: unknown): boolean {
  return problem instanceof Error && 'code' in problem && problem.code === 'EAGAIN'
}

beat()
parentPort?.postMessage('started')
setInterval(beat, HEARTBEAT_INTERVAL_MS)
