import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { CheckReport } from '../../main/engine/protocol.ts'

export const GOLDEN = import.meta.dirname
const LAUNCHER = join(GOLDEN, '..', '..', 'main', 'cli', 'halfstep.mjs')

/** `halfstep <args>` as a process of its own, with an empty library. */
export function start(...args: string[]) {
  // vitest's own options for its workers must not reach the command.
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', HALFSTEP_HOME: join(GOLDEN, 'no-library') }
  return spawn(process.execPath, [LAUNCHER, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

export interface Outcome {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export async function halfstep(...args: string[]): Promise<Outcome> {
  const child = start(...args)
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close') as Promise<[number | null]>])
  return { code, out, err }
}

const Infinite = z.preprocess((value) => value ?? Infinity, z.number())
const Report = CheckReport.extend({ lines: z.array(CheckReport.shape.lines.element.extend({ relativeError: Infinite })) })

/** `model check --json` on the processor: the exit code and the report. */
export async function check(model: string, cases: string, ...options: string[]): Promise<{ code: number | null; report: CheckReport }> {
  const { code, out, err } = await halfstep('model', 'check', model, cases, '--device', 'cpu', '--json', ...options)
  try {
    return { code, report: Report.parse(JSON.parse(out)) }
  } catch {
    throw new Error(`No report, exit code ${String(code)}:\n${out}${err}`)
  }
}
