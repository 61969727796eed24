import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Graph } from '../../../main/engine/graph/graph.ts'
import * as ops from '../../../main/engine/graph/ops/index.ts'
import { NetworkTrainer } from '../../../main/engine/network-training/network-trainer.ts'
import { trainNetwork, type NetworkTraining } from '../../../main/engine/network-training/train-network.ts'
import { WeightVector } from '../../../main/engine/network-training/weight-vector.ts'
import { Random } from '../../../main/engine/random/random.ts'
import { float32, type FloatTensor } from '../../../main/engine/tensor/tensor.ts'
import { Module, type Parameter } from '../../../native-models/module.ts'
import { weightSource } from '../../../native-models/weights/weight-source.ts'

const ADAM = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxNorm: 10, averageDecay: 0.9 }
const [BATCH, IN, HIDDEN] = [16, 3, 8]

let folder: string
const trainers: NetworkTrainer[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-training-'))
})
afterEach(async () => {
  for (const trainer of trainers.splice(0)) await trainer.dispose()
  rmSync(folder, { recursive: true })
})

/** Two layers that are to learn y = x₀ − 2 x₁. */
function network(): { readonly graph: Graph; readonly parameters: readonly Parameter[] } {
  const graph = new Graph()
  const g = graph.scope
  const x = graph.input('x', 'float32', [BATCH, IN])
  const y = graph.input('y', 'float32', [BATCH, 1])
  const m = Module.root(g, weightSource('(none)', []), { trainable: () => true })
  const difference = ops.sub(g, m.linear('second', ops.silu(g, m.linear('first', x, HIDDEN)), 1), y)
  graph.output('loss', ops.mean(g, ops.mul(g, difference, difference)))
  return { graph, parameters: m.parameters }
}

async function freshTrainer(): Promise<NetworkTrainer> {
  const { graph, parameters } = network()
  const weights = WeightVector.initial(parameters, new Random(1))
  const trainer = await NetworkTrainer.create(graph, weights, { device: 'cpu', threads: 1, loss: 'loss', adam: ADAM })
  trainers.push(trainer)
  return trainer
}

const random = new Random(2)
function feeds(step: number): Readonly<Record<string, FloatTensor>> {
  const x = random.normal('sample', [step], [BATCH, IN])
  return {
    x,
    y: float32(
      [BATCH, 1],
      Array.from({ length: BATCH }, (_, i) => x.data[i * IN]! - 2 * x.data[i * IN + 1]!),
    ),
  }
}

const training = (steps: number): NetworkTraining => ({
  stage: 'test',
  steps,
  learningRate: 0.02,
  schedule: { kind: 'constant', warmUp: 0 },
  feeds,
  progressFile: join(folder, 'progress.safetensors'),
})

describe('trainNetwork', () => {
  it('learns what it is shown', async () => {
    const losses = await trainNetwork(await freshTrainer(), training(300))
    expect(losses[0]).toBeGreaterThan(1)
    expect(losses.at(-1)).toBeLessThan(0.1)
  })

  it('goes on where it was cut off, and ends with the same bytes', async () => {
    const whole = await freshTrainer()
    await trainNetwork(whole, { ...training(30), progressFile: join(folder, 'whole.safetensors') })

    const controller = new AbortController()
    const onStep = (step: number): void => {
      if (step === 11) controller.abort()
    }
    await expect(trainNetwork(await freshTrainer(), { ...training(30), signal: controller.signal, onStep })).rejects.toMatchObject({
      code: 'cancelled',
    })
    const resumed = await freshTrainer()
    const steps: number[] = []
    const losses = await trainNetwork(resumed, { ...training(30), onStep: (step) => steps.push(step) })
    expect(steps[0]).toBe(12)
    expect(losses).toHaveLength(30)
    expect(resumed.weights.values).toEqual(whole.weights.values)
    expect(resumed.state).toEqual(whole.state)
  })

  it('does not go on from the progress of another training', async () => {
    await trainNetwork(await freshTrainer(), training(5))
    const steps: number[] = []
    await trainNetwork(await freshTrainer(), { ...training(5), stage: 'another', onStep: (step) => steps.push(step) })
    expect(steps).toEqual([0, 1, 2, 3, 4])
  })

  it('stops at a loss that is not finite, and keeps the weights', async () => {
    const trainer = await freshTrainer()
    const before = trainer.weights.values.slice()
    const broken = { ...training(5), feeds: () => ({ ...feeds(0), y: float32([BATCH, 1], new Float32Array(BATCH).fill(NaN)) }) }
    await expect(trainNetwork(trainer, broken)).rejects.toMatchObject({ code: 'weights.not-finite' })
    expect(trainer.weights.values).toEqual(before)
  })
})

describe('WeightVector.initial', () => {
  it('begins with layers within ±1/√fan-in, norms at the identity, and what is asked for at zero', () => {
    const parameters: Parameter[] = [
      { name: 'conv.weight', shape: [8, 4, 3, 3] },
      { name: 'conv.bias', shape: [8] },
      { name: 'norm.weight', shape: [8] },
      { name: 'norm.bias', shape: [8] },
      { name: 'last.weight', shape: [2, 8] },
      { name: 'last.bias', shape: [2] },
    ]
    const weights = WeightVector.initial(parameters, new Random(3), (name) => name.startsWith('last.'))
    const largest = (name: string): number => Math.max(...weights.tensor(name).data.map(Math.abs))
    expect(largest('conv.weight')).toBeGreaterThan(0.8 / 6)
    expect(largest('conv.weight')).toBeLessThanOrEqual(1 / 6)
    expect(largest('conv.bias')).toBeGreaterThan(0)
    expect(largest('conv.bias')).toBeLessThanOrEqual(1 / 6)
    expect([...weights.tensor('norm.weight').data]).toEqual(new Array(8).fill(1))
    expect([...weights.tensor('norm.bias').data]).toEqual(new Array(8).fill(0))
    expect(largest('last.weight') + largest('last.bias')).toBe(0)
  })
})
