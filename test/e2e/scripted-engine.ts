import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { HalfstepError } from '../../main/engine/errors.ts'
import type { DeviceRecord, EngineJobs, TrainingCommand, TrainingEvent } from '../../main/engine/protocol.ts'
import type { Engine } from '../../main/services/engine.ts'
import { drawHand } from './hand-drawing.ts'

export const GPU: DeviceRecord = {
  device: 'webgpu',
  available: true,
  reason: null,
  detail: null,
  name: 'AMD Radeon RX 7800 XT',
  float16: true,
  convTranspose: 'correct',
  memoryBytes: 16e9,
  speed: 3.14e13,
  onnxruntimeVersion: '1.30.0',
  probedAt: '2026-01-01T12:00:00.000Z',
}
export const NO_CUDA: DeviceRecord = {
  ...GPU, device: 'cuda', name: null, available: false, reason: 'No NVIDIA driver was found on this machine.', memoryBytes: null,
}
export const CPU: DeviceRecord = { ...GPU, device: 'cpu', name: 'AMD Ryzen 7 5800X', memoryBytes: 32e9, speed: 4.2e11, float16: false }

/** What every run ends in. */
const ADAPTER = join(import.meta.dirname, '..', 'golden', 'adapters', 'sd15-micro-kohya.safetensors')

/** What a run's recipe asks of this engine, beside what recipes have. */
export interface Script {
  /** Waits for a command after this update, unless the run was continued. */
  readonly holdAt?: number
  /** Fails after this update. */
  readonly failAt?: number
  /** Milliseconds for each update; none by default. */
  readonly pace?: number
}

type TrainRequest = EngineJobs['train.run']['request']

/**
 * An engine that computes nothing: runs go as their script says, with plausible figures and drawn hands for pictures. Everything
 * above it (services, store, router, host, pages) is real.
 */
export function scriptedEngine(scripts: Readonly<Record<string, Script>> = {}, real?: Engine): Engine {
  const folders = new Map<string, TrainedSoFar>()
  return {
    probeDevices: async ({ onRecord }) => {
      for (const record of [NO_CUDA, GPU, CPU]) onRecord?.(record)
      return [NO_CUDA, GPU, CPU]
    },
    async run(room, job, request, options) {
      const name: string = job
      if (name === 'recipe.check') return { recipe: (request as EngineJobs['recipe.check']['request']).recipe } as never
      if (name === 'train.estimate') return ESTIMATE as never
      if (name === 'train.run') {
        const run = request as TrainRequest
        const onStart = options?.onStart as ((send: (command: TrainingCommand) => void) => void) | undefined
        const onProgress = options?.onProgress as ((event: TrainingEvent) => void) | undefined
        return await train(run, scripts, folders, { signal: options?.signal, onStart, onProgress }) as never
      }
      if (name === 'model.generate') {
        const onProgress = options?.onProgress as GenerateOptions['onProgress']
        return await generate(request as EngineJobs['model.generate']['request'], { signal: options?.signal, onProgress }) as never
      }
      if (name === 'model.repair') {
        const onProgress = options?.onProgress as GenerateOptions['onProgress']
        return await repair(request as EngineJobs['model.repair']['request'], { signal: options?.signal, onProgress }) as never
      }
      if (real) return real.run(room, job, request, options)
      throw new HalfstepError('internal', `The scripted engine has no ${name}.`)
    },
    dispose: async () => real?.dispose(),
  }
}

const ESTIMATE: EngineJobs['train.estimate']['result'] = {
  updates: 150,
  parameters: 797_184,
  cost: { memoryBytes: 7.4e9, secondsPerUpdate: 8.6 },
  deviceBytes: 16e9,
  rewardParts: ['hand critic'],
  notes: [],
}

interface TrainedSoFar {
  readonly recipe: Record<string, unknown>
  update: number
}

interface TrainOptions {
  readonly signal: AbortSignal | undefined
  readonly onStart: ((send: (command: TrainingCommand) => void) => void) | undefined
  readonly onProgress: ((event: TrainingEvent) => void) | undefined
}

async function train(
  { folder, recipe }: TrainRequest, scripts: Readonly<Record<string, Script>>, folders: Map<string, TrainedSoFar>, options: TrainOptions,
): Promise<EngineJobs['train.run']['result']> {
  const continued = folders.has(folder)
  const state = folders.get(folder) ?? { recipe: recipe as Record<string, unknown>, update: 0 }
  folders.set(folder, state)
  mkdirSync(join(folder, 'samples'), { recursive: true })
  writeFileSync(join(folder, 'recipe.json'), JSON.stringify(state.recipe))
  const updates = Number(state.recipe['updates'])
  const seed = Number(state.recipe['seed'] ?? 0)
  const script = scripts[seed] ?? {}
  const tell = (event: TrainingEvent): void => options.onProgress?.(event)
  const inbox: TrainingCommand[] = []
  let wake = Promise.withResolvers<undefined>()
  options.onStart?.((command) => {
    inbox.push(command)
    wake.resolve(undefined)
  })
  const cancelled = new Promise<never>((_resolve, reject) => {
    options.signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'train.run was cancelled.')))
  })
  cancelled.catch(() => undefined)
  tell({
    type: 'started', folder, update: state.update, updates, parameters: 797_184, estimate: ESTIMATE.cost, deviceBytes: 16e9,
    rewardWeights: { 'hand critic': 1, 'prompt match': 0.5 },
  })
  if (state.update === 0) tell(await sample(folder, 0, 0))
  for (;;) {
    const command = inbox.shift()
    if (command?.type === 'pause') {
      const message = 'The run was paused.'
      tell({ type: 'paused', update: state.update, reason: 'asked', message, nextStep: 'Continue it whenever you like.' })
      return { outcome: 'paused', update: state.update, adapter: null }
    }
    if (command?.type === 'sample-now') tell(await sample(folder, state.update, state.update / updates))
    if (command?.type === 'stop' || command?.type === 'stop-and-keep-best' || state.update >= updates) break
    if (script.failAt === state.update) throw new HalfstepError('device.memory', FULL, 'Lower the size of the pictures, then continue.')
    if (script.holdAt === state.update && !continued) {
      wake = Promise.withResolvers()
      if (inbox.length === 0) await Promise.race([wake.promise, cancelled])
      continue
    }
    if (script.pace) await Promise.race([new Promise((resolve) => setTimeout(resolve, script.pace)), cancelled])
    state.update++
    tell(progressOf(state.update, updates, seed))
    if (state.update % Math.ceil(updates / 10) === 0) {
      tell({ type: 'checkpoint', update: state.update, file: join(folder, 'checkpoints', `${state.update}.safetensors`), best: true })
      tell(await sample(folder, state.update, state.update / updates))
    }
  }
  const adapter = join(folder, 'adapter.safetensors')
  copyFileSync(ADAPTER, adapter)
  tell({
    type: 'finished', update: state.update, adapter, adapterUpdate: state.update, adapterChanged: true, rewardConstant: false,
    seconds: 8.4 * state.update, estimate: ESTIMATE.cost, measured: ESTIMATE.cost,
  })
  return { outcome: 'finished', update: state.update, adapter }
}

const FULL = 'The device ran out of memory while it took an update (needed 17.2 GB of 16.0 GB).'

interface GenerateOptions {
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: EngineJobs['model.generate']['progress']) => void) | undefined
}

/** One picture after another: five fingers with an adapter, and as it happens without. */
async function generate(
  { prompts, count = 1, steps = 50, seed, adapters, out }: EngineJobs['model.generate']['request'], { signal, onProgress }: GenerateOptions,
): Promise<EngineJobs['model.generate']['result']> {
  const pictures: EngineJobs['model.generate']['result']['pictures'] = []
  for (let picture = 0; picture < prompts.length * count; picture++) {
    if (signal?.aborted) throw new HalfstepError('cancelled', 'model.generate was cancelled.')
    const path = join(out, `${picture}.png`)
    const look = (seed + picture) % 4
    writeFileSync(path, await drawHand({ fingers: adapters.length > 0 ? 5 : 6 + (look % 2), look }))
    pictures.push({ path, prompt: prompts[Math.floor(picture / count)]!, seed: seed + (picture % count) })
    onProgress?.({ picture, pictures: prompts.length * count, step: steps, steps, path })
  }
  return { pictures, notes: [] }
}

/** A repair of this many steps waits after its first variant until it is cancelled. */
export const ENDLESS_STEPS = 77

/** Where the mask is white, a hand with as many fingers as the variant has luck; elsewhere the picture as it is. */
async function repair(
  { picture, mask, count, steps, seed, prompt, out }: EngineJobs['model.repair']['request'], { signal, onProgress }: GenerateOptions,
): Promise<EngineJobs['model.repair']['result']> {
  const cancelled = new Promise<never>((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new HalfstepError('cancelled', 'model.repair was cancelled.')))
  })
  const { width, height } = await sharp(picture).metadata()
  const alpha = await sharp(mask).resize(width, height, { fit: 'fill' }).blur(2).greyscale().raw().toBuffer()
  const pictures: EngineJobs['model.repair']['result']['pictures'] = []
  for (let variant = 0; variant < count; variant++) {
    if (variant === 1 && steps === ENDLESS_STEPS) await cancelled
    const drawn = sharp(await drawHand({ fingers: variant === 2 ? 4 : 5, look: 0 }, width)).resize(width, height).removeAlpha()
    const over = await drawn.joinChannel(alpha, { raw: { width, height, channels: 1 } }).png().toBuffer()
    const path = join(out, `${String(variant).padStart(5, '0')}-${seed + variant}.png`)
    writeFileSync(path, await sharp(picture).composite([{ input: over }]).png().toBuffer())
    pictures.push({ path, prompt, seed: seed + variant })
    onProgress?.({ picture: variant, pictures: count, step: steps, steps, path })
  }
  return { pictures, notes: [] }
}

/** A reward that rises and settles, with the noise that real ones have. */
function progressOf(update: number, updates: number, seed: number): TrainingEvent {
  const noise = (salt: number): number => (Math.sin(update * 12.9898 + (seed + salt) * 78.233) * 43_758.5453) % 1
  const mean = 0.28 + 0.5 * (1 - Math.exp((-3.2 * update) / updates)) + 0.05 * noise(1)
  const spread = 0.13 - (0.05 * update) / updates + 0.01 * noise(2)
  return {
    type: 'progress', update, updates,
    reward: { mean, spread, min: mean - 2 * spread, max: mean + 2 * spread },
    parts: { 'hand critic': mean + 0.03, 'drift from the model': 0.02 + (0.09 * update) / updates },
    gradientNorm: 0.8 + 0.2 * noise(3), learningRate: 3e-4, steps: [], seconds: 8.4 + 0.3 * noise(4), timeLeft: (updates - update) * 8.4,
  }
}

/** Four pictures of a moment: the further the run, the more of them have five fingers. */
async function sample(folder: string, update: number, done: number): Promise<TrainingEvent> {
  const files = await Promise.all([0, 1, 2, 3].map(async (look) => {
    const file = join(folder, 'samples', `${String(update).padStart(6, '0')}-${look}.png`)
    writeFileSync(file, await drawHand({ fingers: done > 0.2 + look * 0.15 ? 5 : 6 + (look % 2), look }))
    return file
  }))
  return { type: 'sample', update, files }
}
