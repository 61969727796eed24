import { HalfstepError } from '../../../main/engine/errors.ts'
import type { ProcessLauncher } from '../../../main/engine/process/launcher.ts'
import { ToEngine, type EngineJobs, type JobName } from '../../../main/engine/protocol.ts'
import { runCli } from '../../../main/cli/run-cli.ts'

/** What a pretended engine answers, per job: progress, then a result or an error. */
export type Answers = {
  readonly [N in JobName]?: {
    readonly progress?: readonly EngineJobs[N]['progress'][]
    readonly result: EngineJobs[N]['result'] | HalfstepError
  }
}

/** An engine process that does not compute. Requests it got are added to `requests`. */
export function pretendedEngine(answers: Answers, requests: unknown[]): ProcessLauncher {
  return ({ message, end }) => ({
    pid: 1,
    send: (raw) => {
      const sent = ToEngine.parse(raw)
      if (sent.type === 'command') return void requests.push(sent.command)
      const { id, job, request } = sent
      requests.push(request)
      const answer = answers[job as JobName]
      for (const progress of answer?.progress ?? []) setImmediate(message, { type: 'progress', id, progress })
      const result = answer?.result
      if (result instanceof HalfstepError) setImmediate(message, { type: 'error', id, error: result.toValue() })
      else setImmediate(message, { type: 'result', id, result })
    },
    kill: () => setImmediate(end, { code: null, signal: 'SIGKILL' }),
  })
}

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly requests: readonly unknown[]
}

/** Runs the command line in this process against a pretended engine. */
export async function run(args: readonly string[], answers: Answers = {}): Promise<Run> {
  const requests: unknown[] = []
  let out = ''
  let err = ''
  const code = await runCli(args, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    env: {},
    launch: pretendedEngine(answers, requests),
  })
  return { code, out, err, requests }
}
