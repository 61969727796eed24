/** A checkpoint: the state of a run as one .safetensors file with a checksum over all of it. */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { readWeight } from '../../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../../native-models/weights/safetensors.ts'
import { HalfstepError } from '../errors.ts'
import { float32, isDType, toBytes, type Tensor } from '../tensor/tensor.ts'
import type { FileSystem } from './file-system.ts'
import { isFinite } from './not-finite.ts'
import type { RunState } from './run-state.ts'

const COUNTERS = 'halfstep.checkpoint'
const CHECKSUM = 'halfstep.checksum'
const VERSION = 1

const THETA = 'theta'
const EMA = 'ema'
const FIRST_MOMENT = 'optimizer.first'
const SECOND_MOMENT = 'optimizer.second'
/** What the training task has learned, float64. */
const TASK = 'task.'

const Counters = z.strictObject({
  version: z.literal(VERSION),
  /** Fingerprint of the recipe that the run follows. */
  recipe: z.string(),
  update: z.int().nonnegative(),
  draws: z.int().nonnegative(),
  optimizerSteps: z.int().nonnegative(),
  /** What the training task has learned that is not in tensors. */
  task: z.json(),
  rewardRange: z.strictObject({ min: z.number(), max: z.number() }).nullable(),
  recent: z.strictObject({ sum: z.number(), count: z.int().nonnegative() }),
  best: z.strictObject({ update: z.int().nonnegative(), reward: z.number() }).nullable(),
})

/**
 * Writes a checkpoint; it is complete and durable when this resolves, or not there at all.
 * @param recipe fingerprint of the recipe
 * Throws `file.unwritable`.
 */
export async function writeCheckpoint(path: string, state: RunState, recipe: string, files: FileSystem): Promise<void> {
  const { update, draws, theta, optimizer, ema, task, rewardRange, recent, best } = state
  const tensors: [string, Tensor][] = [
    [THETA, vector(theta)],
    [FIRST_MOMENT, vector(optimizer.first)],
    [SECOND_MOMENT, vector(optimizer.second)],
    ...(ema === null ? [] : [[EMA, vector(ema)] satisfies [string, Tensor]]),
    ...Object.entries(task.arrays).map(([name, data]): [string, Tensor] => [TASK + name, { dtype: 'float64', shape: [data.length], data }]),
  ]
  const text = JSON.stringify({
    version: VERSION,
    recipe,
    update,
    draws,
    optimizerSteps: optimizer.steps,
    task: task.json,
    rewardRange,
    recent,
    best,
  })
  await writeSafetensors(path, tensors, { [COUNTERS]: text, [CHECKSUM]: checksum(text, tensors) }, files)
}

/**
 * Reads a checkpoint and proves that it is what was written.
 * @param recipe fingerprint of the recipe that the run follows; another one's checkpoint is refused
 * Throws `run.damaged` for a wrong checksum, numbers that are not finite, or parts that are missing, and what `openSafetensors`
 * throws for a file that is none.
 */
export async function readCheckpoint(path: string, recipe: string): Promise<RunState> {
  const file = await openSafetensors(path)
  const tensors: [string, Tensor][] = []
  for (const name of file.names()) {
    const entry = file.find(name)
    if (entry !== undefined) tensors.push([name, await readWeight(entry)])
  }
  const text = file.metadata.get(COUNTERS) ?? ''
  if (file.metadata.get(CHECKSUM) !== checksum(text, tensors)) throw damaged(path, 'its contents do not match its checksum')
  const counters = Counters.safeParse(JSON.parse(text))
  if (!counters.success) throw damaged(path, 'it was written by another version of Halfstep')
  if (counters.data.recipe !== recipe) throw damaged(path, 'it belongs to another recipe')
  return assemble(path, counters.data, new Map(tensors))
}

function assemble(path: string, counters: z.infer<typeof Counters>, tensors: ReadonlyMap<string, Tensor>): RunState {
  const floats = (name: string): Float32Array => {
    const tensor = tensors.get(name)
    if (tensor === undefined || !isDType(tensor, 'float32')) throw damaged(path, `it lacks ${name}`)
    if (!isFinite(tensor.data)) throw damaged(path, `its ${name} holds numbers that are not finite`)
    return tensor.data
  }
  const { update, draws, optimizerSteps: steps, task, rewardRange, recent, best } = counters
  const arrays: Record<string, Float64Array> = {}
  for (const [name, tensor] of tensors) {
    if (name.startsWith(TASK) && isDType(tensor, 'float64')) arrays[name.slice(TASK.length)] = tensor.data
  }
  return {
    update,
    draws,
    rewardRange,
    recent,
    best,
    task: { arrays, json: task },
    theta: floats(THETA),
    optimizer: { steps, first: floats(FIRST_MOMENT), second: floats(SECOND_MOMENT) },
    ema: tensors.has(EMA) ? floats(EMA) : null,
  }
}

function vector(data: Float32Array): Tensor {
  return float32([data.length], data)
}

/** SHA-256 over the counters and every tensor's name, type, length and bytes, in the order of names. */
function checksum(counters: string, tensors: readonly (readonly [string, Tensor])[]): string {
  const hash = createHash('sha256').update(JSON.stringify(counters))
  const byName = tensors.toSorted(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, tensor] of byName) hash.update(JSON.stringify([name, tensor.dtype, tensor.shape])).update(toBytes(tensor))
  return hash.digest('hex')
}

function damaged(path: string, cause: string): HalfstepError {
  return new HalfstepError(
    'run.damaged',
    `The checkpoint ${path} is damaged: ${cause}.`,
    'An earlier checkpoint is taken instead, where there is one.',
    { file: path },
  )
}
