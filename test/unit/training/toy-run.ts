/** Runs of the toy model in folders of their own. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { TrainingEvent, TrainingOutcome } from '../../../main/engine/protocol.ts'
import { CommandInbox } from '../../../main/engine/training/command-inbox.ts'
import { nodeFileSystem, type FileSystem } from '../../../main/engine/training/file-system.ts'
import type { TrainingPlan } from '../../../main/engine/training/plan.ts'
import { RunFolder } from '../../../main/engine/training/run-folder.ts'
import type { TrainingTask } from '../../../main/engine/training/training-task.ts'
import { train } from '../../../main/engine/training/trainer.ts'
import { toyTask } from './toy-model.ts'

export const TOY_PLAN: TrainingPlan = {
  recipe: 'toy',
  updates: 12,
  accumulation: 1,
  optimizer: { learningRate: 0.05, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-4, clipNorm: 5 },
  schedule: { kind: 'cosine', warmUp: 2, floor: 0.1 },
  ema: { decay: 0.9, export: true },
  checkpoint: { every: 3, keepLast: 2 },
  sampleEvery: null,
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'halfstep-run-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface ToyRun {
  readonly folder?: string
  readonly task?: TrainingTask
  readonly plan?: Partial<TrainingPlan>
  readonly files?: FileSystem
  readonly whenPaused?: 'wait' | 'end'
  /** Hears each event and may answer with commands. */
  readonly onEvent?: (event: TrainingEvent, commands: CommandInbox) => void
}

export interface ToyResult {
  readonly folder: RunFolder
  readonly events: TrainingEvent[]
  readonly outcome: TrainingOutcome
}

/** Trains in a folder, which is made when there is none. */
export async function runToy({
  folder: path,
  task = toyTask(),
  plan,
  files = nodeFileSystem,
  whenPaused = 'end',
  onEvent,
}: ToyRun = {}): Promise<ToyResult> {
  const folder = new RunFolder(path ?? (await temporaryFolder()), files)
  await folder.create({ toy: true })
  const commands = new CommandInbox()
  const events: TrainingEvent[] = []
  const emit = (event: TrainingEvent): void => {
    events.push(event)
    onEvent?.(event, commands)
  }
  const outcome = await train({ task, plan: { ...TOY_PLAN, ...plan }, folder, commands, emit, whenPaused, deviceBytes: null })
  return { folder, events, outcome }
}
