/** Kills a real training run at random moments, again and again, and compares what it ends with to an uninterrupted one. */
import { watch, type FSWatcher } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EngineClient } from '../../main/engine/process/engine-client.ts'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { HalfstepError } from '../../main/engine/errors.ts'
import { ENGINE_JOBS, type TrainingEvent } from '../../main/engine/protocol.ts'
import { Random } from '../../main/engine/random/random.ts'

const GOLDEN = join(import.meta.dirname, '..', 'golden')

/** The micro model's real networks on ONNX Runtime, with every kind of term, a checkpoint after every second update. */
const RECIPE = {
  version: 1,
  date: '2026-01-01T00:00:00Z',
  model: join(GOLDEN, 'sd15-micro'),
  seed: 3,
  sampling: { steps: 3, guidance: 3 },
  prompts: ['a hand', 'a red hand', 'a small hand'],
  batch: { prompts: 1, samplesPerPrompt: 2 },
  estimator: { kind: 'rlr', windowLength: 1, proposal: { kind: 'gradient-norm' }, baseline: 'learned', coverage: 'importance' },
  reward: { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 }, normalise: true },
  adapter: { rank: 2 },
  ema: { decay: 0.9 },
  penalties: { drift: 0.1 },
  updates: 6,
  checkpoint: { every: 2, keepLast: 2 },
}
/** A file is written in about this time. */
const WRITE_MS = 4

export interface KillReport {
  readonly kills: number
  /** By the last thing heard of the run before. */
  readonly killedAfter: Readonly<Record<string, number>>
  /** Kills that left a half-written file behind. */
  readonly halfWritten: number
  readonly finished: number
  /** Finished runs whose adapter differs from the uninterrupted run's. */
  readonly different: number
  /** Most updates that a kill undid. */
  readonly mostLost: number
}

export const CHECKPOINT_EVERY = RECIPE.checkpoint.every

/** @param seed decides the moments, as far as a clock can be held to them */
export async function killRuns(kills: number, seed: number, onKill: (report: KillReport) => void = () => undefined): Promise<KillReport> {
  const root = await mkdtemp(join(tmpdir(), 'halfstep-kill-'))
  const random = new Random(seed)
  try {
    const straight = new Run(join(root, 'straight'))
    const began = performance.now()
    await straight.start(undefined)
    const duration = performance.now() - began
    const expected = await straight.adapter()

    const report = { kills: 0, killedAfter: {} as Record<string, number>, halfWritten: 0, finished: 0, different: 0, mostLost: 0 }
    let run = new Run(join(root, 'run0'))
    for (let start = 0; report.kills < kills || !run.isFinished; start++) {
      if (run.isFinished) run = new Run(join(root, `run${report.finished}`))
      const plan = report.kills < kills ? killPlan(random, start, duration) : undefined
      const killed = await run.start(plan)
      report.mostLost = Math.max(report.mostLost, run.lost)
      if (killed) {
        report.kills++
        report.killedAfter[run.lastHeard] = (report.killedAfter[run.lastHeard] ?? 0) + 1
        if (await run.hasHalfWrittenFile()) report.halfWritten++
        onKill(report)
      } else {
        report.finished++
        if (!expected.equals(await run.adapter())) report.different++
        await rm(run.folder, { recursive: true })
      }
    }
    return report
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** When to kill: so long after the start, or so long after the n-th time that a file begins to be written. */
type KillPlan = { readonly afterStartMs: number } | { readonly atWrite: number; readonly delayMs: number }

/**
 * Every other one at any time of a run, loading included, and every other one while a checkpoint is written. By the number of the
 * start, not of the kill: a moment that comes after the end of a run must not be waited for again.
 */
function killPlan(random: Random, index: number, duration: number): KillPlan {
  const [moment = 0, which = 0] = random.uniform('sample', [index], 2)
  if (index % 2 === 0) return { afterStartMs: moment * duration }
  return { atWrite: 1 + Math.floor(2 * which), delayMs: moment * WRITE_MS }
}

class Run {
  readonly folder: string
  isFinished = false
  lastHeard = 'nothing'
  /** Updates that the latest start had to make again. */
  lost = 0
  #update = 0

  constructor(folder: string) {
    this.folder = folder
  }

  /** Starts or continues the run in a process of its own; whether it was killed. */
  async start(plan: KillPlan | undefined): Promise<boolean> {
    let pid = 0
    const fork = forkLauncher()
    const engine = new EngineClient(ENGINE_JOBS, (listeners) => {
      const process = fork(listeners)
      pid = process.pid ?? 0
      return process
    })
    const timers: NodeJS.Timeout[] = []
    const killIn = (ms: number): void => void timers.push(setTimeout(() => process.kill(pid, 'SIGKILL'), ms))
    let watcher: FSWatcher | undefined
    if (plan !== undefined && 'afterStartMs' in plan) killIn(plan.afterStartMs)
    if (plan !== undefined && 'atWrite' in plan)
      watcher = await this.#watchWrites((count) => count === plan.atWrite && killIn(plan.delayMs))
    this.lastHeard = 'nothing'
    const onProgress = (event: TrainingEvent): void => this.#hear(event)
    try {
      await engine.run('train.run', { folder: this.folder, recipe: RECIPE, device: 'cpu', whenPaused: 'end' }, { onProgress })
      this.isFinished = true
      return false
    } catch (error) {
      if (error instanceof HalfstepError && error.code === 'engine.stopped' && error.details.signal === 'SIGKILL') return true
      throw error
    } finally {
      watcher?.close()
      timers.forEach(clearTimeout)
      await engine.dispose()
    }
  }

  /** Calls back with the number of files that were begun under a temporary name. */
  async #watchWrites(onWrite: (count: number) => void): Promise<FSWatcher> {
    const folder = join(this.folder, 'checkpoints')
    await mkdir(folder, { recursive: true })
    const seen = new Set<string>()
    return watch(folder, (_, name) => {
      if (name === null || !name.endsWith('.tmp') || seen.has(name)) return
      seen.add(name)
      onWrite(seen.size)
    })
  }

  adapter(): Promise<Buffer> {
    return readFile(join(this.folder, 'adapter.safetensors'))
  }

  async hasHalfWrittenFile(): Promise<boolean> {
    const names = await readdir(this.folder, { recursive: true }).catch(() => [])
    return names.some((name) => name.endsWith('.tmp'))
  }

  #hear(event: TrainingEvent): void {
    this.lastHeard = event.type
    if (event.type === 'started') this.lost = this.#update - event.update
    this.#update = event.update
  }
}
