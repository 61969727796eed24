import { strengthInput } from '../../../native-models/adapter-slot.ts'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import type { Component } from '../../../native-models/checkpoint/checkpoint.ts'
import type { UnetConfig } from '../../../native-models/checkpoint/unet-config.ts'
import { writeRandomModel } from '../../../native-models/random-weights.ts'
import { standardConfigs } from '../../../native-models/standard-configs.ts'
import { buildUnet, type UnetModel } from '../../../native-models/unet.ts'
import { allEntries } from '../../../native-models/weights/weight-source.ts'
import { HalfstepError } from '../errors.ts'
import { DifferentiableNetwork, type Tensors } from '../networks/differentiable-network.ts'
import { maxScoreElements } from '../networks/recomputation.ts'
import type { BenchMeasurement, BenchResult, BenchStage, Device, EngineJobs } from '../protocol.ts'
import { deviceMemory, peakMemory, resetPeakMemory, residentMemory } from '../runtime/memory.ts'
import { elementCount, type Shape } from '../tensor/shape.ts'
import { float32, type FloatTensor, type Tensor } from '../tensor/tensor.ts'

export type BenchRequest = EngineJobs['model.bench']['request']

/** The usual target of Stable Diffusion adapters: the projections of every attention layer. */
const ATTENTION = /\.attn[12]\.(to_q|to_k|to_v|to_out\.0)$/
const RANK = 4
const TOKENS = 77
const SLOT = 'adapter'

/**
 * Measures one UNet with a rank-4 adapter on its attention: time and memory of the forward pass and of the gradient. The memory
 * figures mean something only in a process that has done nothing else before.
 */
export async function benchModel(request: BenchRequest, onStage: (stage: BenchStage) => void = () => undefined): Promise<BenchResult> {
  onStage('weights')
  return measureUnet(await openUnet(request), request, onStage)
}

async function measureUnet(
  { config, weights }: Component<UnetConfig>,
  request: BenchRequest,
  onStage: (stage: BenchStage) => void,
): Promise<BenchResult> {
  const { latent, batch, device, precision } = request
  onStage('compile')
  const deviceBefore = await deviceBytes(device)
  const started = performance.now()
  const model = buildUnet(config, weights, {
    batch,
    latentHeight: latent,
    latentWidth: latent,
    textLength: TOKENS,
    compute: precision,
    maxScoreElements: maxScoreElements(device),
    adapters: [{ name: SLOT, target: (layer) => (ATTENTION.test(layer) ? { rank: RANK, alpha: RANK } : undefined) }],
  })
  const wrt = ['sample', ...model.adapterTargets.flatMap(({ down, up }) => [down.input, up.input])]
  const network = await DifferentiableNetwork.create(model.graph, { ...request, compute: precision, outputs: ['output'], wrt })
  const compileSeconds = (performance.now() - started) / 1000
  try {
    const inputs = randomInputs(model)
    const upstream = { output: waves(model.outputs.output.shape) }
    const before = anonymousMemory()
    onStage('forward')
    const forward = await measure(request.runs, before, () => network.forward(inputs))
    onStage('vjp')
    const vjp = await measure(request.runs, before, () => network.vjp(inputs, upstream))
    const deviceAfter = await deviceBytes(device)
    const entries = allEntries(weights)
    return {
      parameters: entries.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      weightBytes: entries.reduce((sum, { byteLength }) => sum + byteLength, 0),
      compileSeconds,
      forward,
      vjp,
      deviceBytes: deviceBefore === null || deviceAfter === null ? null : deviceAfter - deviceBefore,
    }
  } finally {
    await network.dispose()
  }
}

async function measure(runs: number, before: number, run: () => Promise<unknown>): Promise<BenchMeasurement> {
  resetPeakMemory()
  await run()
  const seconds: number[] = []
  for (let i = 0; i < runs; i++) {
    const started = performance.now()
    await run()
    seconds.push((performance.now() - started) / 1000)
  }
  const mapped = residentMemory().mappedFiles ?? 0
  return {
    seconds,
    median: seconds.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0,
    memoryAboveWeights: peakMemory() - mapped - before,
  }
}

/** Resident memory that is no file's. */
function anonymousMemory(): number {
  const { total, mappedFiles } = residentMemory()
  return total - (mappedFiles ?? 0)
}

async function deviceBytes(device: Device): Promise<number | null> {
  return device === 'cpu' ? null : ((await deviceMemory(device))?.usedBytes ?? null)
}

/** The UNet to measure; random weights of a standard size are written to the scratch folder first. */
async function openUnet({ config, precision, scratch }: BenchRequest): Promise<Component<UnetConfig>> {
  if (typeof config !== 'string') return unetOf(config.model)
  await writeRandomModel(scratch, standardConfigs[config], { dtype: precision, components: ['unet'] })
  return unetOf(scratch)
}

async function unetOf(model: string): Promise<Component<UnetConfig>> {
  const { unet } = (await openCheckpoint(model)).components
  if (unet === undefined)
    throw new HalfstepError('model.missing-component', `${model} has no UNet to measure.`, 'Choose a model that has one.')
  return unet
}

function randomInputs(model: UnetModel): Tensors {
  const inputs: Record<string, Tensor> = {}
  for (const value of Object.values(model.inputs)) inputs[value.name] = waves(value.shape)
  for (const { down, up } of model.adapterTargets) {
    inputs[down.input] = waves(down.shape)
    inputs[up.input] = waves(up.shape)
  }
  return {
    ...inputs,
    timestep: float32(
      model.inputs.timestep.shape,
      model.inputs.timestep.shape.flatMap((n) => new Array<number>(n).fill(500)),
    ),
    [strengthInput(SLOT)]: float32([], [1]),
  }
}

/** Numbers of about unit size without a pattern that matters to speed. */
function waves(shape: Shape): FloatTensor {
  return float32(
    shape,
    Float32Array.from({ length: elementCount(shape) }, (_, i) => Math.sin(i * 1.7) * Math.SQRT2),
  )
}
