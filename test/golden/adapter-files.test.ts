import path from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import { afterAll, describe, expect, it } from 'vitest'
import { readAdapter, writeAdapter } from '../../main/engine/adapters/adapter-file.ts'
import type { Adapter } from '../../main/engine/adapters/lora.ts'
import { Cases } from '../../main/engine/check/cases.ts'
import { DifferentiableNetwork } from '../../main/engine/networks/differentiable-network.ts'
import { float32, toFloat32, type FloatTensor, type Tensor } from '../../main/engine/tensor/tensor.ts'
import { strengthInput } from '../../native-models/adapter-slot.ts'
import { openCheckpoint } from '../../native-models/checkpoint/open-checkpoint.ts'
import { buildUnet } from '../../native-models/unet.ts'

const GOLDEN = import.meta.dirname
const scratch = mkdtempSync(path.join(os.tmpdir(), 'halfstep-adapters-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** The UNet's output with an adapter as a file gives it, on the inputs of the cases, and PyTorch's. */
async function outputs(model: string, adapter: Adapter): Promise<{ ours: FloatTensor; reference: FloatTensor }> {
  const cases = await Cases.open(path.join(GOLDEN, model, 'cases.safetensors'))
  const { unet } = (await openCheckpoint(path.join(GOLDEN, model))).components
  if (unet === undefined) throw new Error(`${model} has no UNet`)
  const sample = await cases.floats('unet.sample')
  const context = await cases.floats('unet.encoder_hidden_states')
  const [batch = 1, , latentHeight = 1, latentWidth = 1] = sample.shape
  const modules = new Map(adapter.modules.map((module) => [module.path, module]))
  const built = buildUnet(unet.config, unet.weights, {
    batch,
    latentHeight,
    latentWidth,
    textLength: context.shape[1] ?? 1,
    adapters: [
      {
        name: 'file',
        target: (layer) => {
          const module = modules.get(layer)
          return module && { rank: module.down.shape[0] ?? 1, alpha: module.alpha }
        },
      },
    ],
  })
  expect(built.adapterTargets.map((target) => target.path).toSorted()).toEqual([...modules.keys()].toSorted())
  const feeds: Record<string, Tensor> = {
    sample,
    timestep: await cases.floats('unet.timestep'),
    encoder_hidden_states: context,
    [strengthInput('file')]: float32([], [1]),
  }
  for (const name of ['text_embeds', 'time_ids']) if (cases.has(`unet.${name}`)) feeds[name] = await cases.floats(`unet.${name}`)
  for (const { path: layer, down, up } of built.adapterTargets) {
    const module = modules.get(layer)
    if (module === undefined) continue
    feeds[down.input] = float32(down.shape, module.down.data)
    feeds[up.input] = float32(up.shape, module.up.data)
  }
  const network = await DifferentiableNetwork.create(built.graph, { device: 'cpu', outputs: ['output'], wrt: [] })
  try {
    const { output } = await network.forward(feeds)
    return { ours: toFloat32(output ?? sample), reference: await cases.floats('unet_lora.output') }
  } finally {
    await network.dispose()
  }
}

function relativeError(ours: FloatTensor, reference: FloatTensor): number {
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
  return norm(ours.data.map((value, i) => value - (reference.data[i] ?? NaN))) / norm(reference.data)
}

/** Adapters written by diffusers and peft, or in kohya's layout, whose effect PyTorch computed. */
const FILES = [
  ['sd15-micro-peft.safetensors', 'sd15-micro'],
  ['sd15-micro-kohya.safetensors', 'sd15-micro'],
  ['sdxl-micro-kohya.safetensors', 'sdxl-micro'],
  ['sd15-shapes-kohya.safetensors', 'sd15-shapes'],
] as const

describe('an adapter written by another program', () => {
  it.each(FILES)('%s gives the output that PyTorch gave', async (file, model) => {
    const { ours, reference } = await outputs(model, await readAdapter(path.join(GOLDEN, 'adapters', file)))
    expect(relativeError(ours, reference)).toBeLessThan(1e-4)
  })

  it.each(['kohya', 'peft'] as const)('gives the same after Halfstep wrote it again as %s', async (format) => {
    const copy = path.join(scratch, `${format}.safetensors`)
    await writeAdapter(copy, await readAdapter(path.join(GOLDEN, 'adapters', 'sd15-shapes-kohya.safetensors')), { format })
    const { ours, reference } = await outputs('sd15-shapes', await readAdapter(copy))
    expect(relativeError(ours, reference)).toBeLessThan(1e-4)
  })
})
