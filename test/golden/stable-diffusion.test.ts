import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readAdapter } from '../../main/engine/adapters/adapter-file.ts'
import type { Adapter } from '../../main/engine/adapters/lora.ts'
import { Cases } from '../../main/engine/check/cases.ts'
import { ddimCoefficients } from '../../main/engine/diffusion/ddim.ts'
import { noiseSchedule } from '../../main/engine/diffusion/noise-schedule.ts'
import { DifferentiableNetwork } from '../../main/engine/networks/differentiable-network.ts'
import { StableDiffusion, type PipelineOptions } from '../../main/engine/pipeline/stable-diffusion.ts'
import { Random } from '../../main/engine/random/random.ts'
import type { Denoiser } from '../../main/engine/rlr/denoiser.ts'
import { rollOut } from '../../main/engine/rlr/rollout.ts'
import { elementCount } from '../../main/engine/tensor/shape.ts'
import { float32, type FloatTensor } from '../../main/engine/tensor/tensor.ts'
import type { Checkpoint } from '../../native-models/checkpoint/checkpoint.ts'
import { openCheckpoint } from '../../native-models/checkpoint/open-checkpoint.ts'
import { buildVaeDecoder } from '../../native-models/vae.ts'
import { findTokenizer } from '../../native-models/tokenizer/model-tokenizer.ts'
import { GOLDEN } from './halfstep.ts'

const MODEL = join(GOLDEN, 'sd15-micro')
const CPU = { device: 'cpu', precision: 'float32' } as const

/** ‖a − b‖ / ‖b‖ */
function error(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, norm] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  return a.length === b.length ? Math.sqrt(difference / norm) : Infinity
}

const row = ({ shape: [, ...shape], data }: FloatTensor, i: number): FloatTensor => {
  const size = elementCount(shape)
  return float32(shape, data.slice(i * size, (i + 1) * size))
}

let cases: Cases
let checkpoint: Checkpoint
/** The adapter of the cases, as it is trained and as it is applied. */
let adapter: Adapter
let options: PipelineOptions
let pipeline: StableDiffusion
let prompts: string[]
let timesteps: number[]
let denoiser: Denoiser

beforeAll(async () => {
  cases = await Cases.open(join(MODEL, 'cases.safetensors'))
  checkpoint = await openCheckpoint(MODEL)
  const alpha = await cases.scalar('lora.alpha')
  const paths = cases.names('lora.').flatMap((name) => /^lora\.(.+)\.lora_A\.weight$/.exec(name)?.slice(1) ?? [])
  const modules = []
  for (const path of paths) {
    const [down, up] = [await cases.floats(`lora.${path}.lora_A.weight`), await cases.floats(`lora.${path}.lora_B.weight`)]
    modules.push({ component: 'unet' as const, path, down, up, alpha })
  }
  adapter = { modules, metadata: {} }
  const [, batch = 1, , latentHeight = 1, latentWidth = 1] = (await cases.floats('ddim.latents')).shape
  const rank = await cases.scalar('lora.rank')
  options = { ...CPU, batch, latentHeight, latentWidth, trained: { rank, alpha, target: (path) => paths.includes(path) } }
  pipeline = await StableDiffusion.open(checkpoint, options)
  prompts = await promptsOf(cases)
  timesteps = await cases.numbers('ddim.timesteps')
  const guidance = await cases.scalar('ddim.guidance_scale')
  denoiser = await pipeline.denoiser(
    prompts.map((prompt) => ({ prompt, guidance })),
    timesteps,
  )
})
afterAll(() => pipeline.dispose())

/** The micro tokenizer has every letter, so its ids read back as the prompts they came from. */
async function promptsOf({ tensor }: Cases): Promise<string[]> {
  const tokenizer = await findTokenizer(MODEL)
  const ids = await tensor.call(cases, 'text.input_ids')
  const [batch = 1, length = 1] = ids.shape
  return Array.from({ length: batch }, (_, i) => tokenizer.decode(Array.from(ids.data.slice(i * length, (i + 1) * length), Number)))
}

async function coefficients() {
  return ddimCoefficients(noiseSchedule(pipeline.scheduler), timesteps, await cases.scalar('ddim.eta'), checkpoint.predictionType)
}

describe("the pipeline against PyTorch's cases", () => {
  it('encodes the prompts', async () => {
    const reference = await cases.floats('text.last_hidden_state')
    for (const [i, { context }] of (await pipeline.encodePrompts(prompts)).entries())
      expect(error(context.data, row(reference, i).data)).toBeLessThan(1e-4)
  })

  it('walks the chain: ddim.latents', async () => {
    const reference = await cases.floats('ddim.latents')
    const noise = await cases.floats('ddim.noise')
    const theta = pipeline.fromAdapter(adapter)
    const every = new Set(timesteps.keys())
    const source = { start: () => row(reference, 0), step: (position: number) => row(noise, position) }
    const { x0, latents } = await rollOut(denoiser, await coefficients(), source, () => theta, every)
    for (const position of every) expect(error(latents.get(position)?.data ?? [], row(reference, position).data)).toBeLessThan(1e-3)
    expect(error(x0.data, row(reference, timesteps.length).data)).toBeLessThan(1e-3)
  })

  it('differentiates through decoder and guidance: rlr.first_order', async () => {
    const reference = await cases.floats('ddim.latents')
    const mask = await cases.floats('reward.mask')
    const last = timesteps.length - 1
    const [x, x0] = [row(reference, last), row(reference, last + 1)]
    const pictures = await pipeline.decode(x0)
    // R = Σ tanh(m · pixels) / 64 with pixels = 2 · picture − 1
    const dPictures = pictures.data.map((value, i) => {
      const m = mask.data[i % mask.data.length]!
      return ((1 - Math.tanh(m * (2 * value - 1)) ** 2) * m * 2) / 64
    })
    const dx0 = await pipeline.decodeGradient(x0, float32(pictures.shape, dPictures))
    const { ke = 0 } = (await coefficients())[last] ?? {}
    const { dTheta } = await denoiser.vjp(
      last,
      x,
      pipeline.fromAdapter(adapter),
      float32(
        dx0.shape,
        dx0.data.map((value) => ke * value),
      ),
    )
    for (const { role, target, offset, shape } of pipeline.layout.parts) {
      const name = `rlr.first_order.${target.path}.lora_${role === 'down' ? 'A' : 'B'}.weight`
      expect(error(dTheta.subarray(offset, offset + elementCount(shape)), (await cases.floats(name)).data), name).toBeLessThan(1e-3)
    }
  })

  it.each(['mapped', 'copied'] as const)('decodes and differentiates on the CPU with its weights %s', async (weights) => {
    const { config, weights: source } = checkpoint.components.vae!
    const latents = await cases.floats('vae.decode.latents')
    const [batch = 1, , latentHeight = 1, latentWidth = 1] = latents.shape
    const { graph } = buildVaeDecoder(config, source, { batch, latentHeight, latentWidth })
    const decoder = await DifferentiableNetwork.create(graph, { device: 'cpu', weights, outputs: ['pixels'], wrt: ['latents'] })
    try {
      const { outputs, gradients } = await decoder.vjp({ latents }, { pixels: await cases.floats('vae.decode.grad_output') })
      expect(error(outputs['pixels']!.data, (await cases.floats('vae.decode.output')).data)).toBeLessThan(1e-4)
      expect(error(gradients['latents']!.data, (await cases.floats('vae.decode.grad_latents')).data)).toBeLessThan(1e-4)
    } finally {
      await decoder.dispose()
    }
  })

  it('encodes pictures into the latents that the UNet works on', async () => {
    const pixels = await cases.floats('vae.encode.pixels')
    const reference = (await cases.floats('vae.encode.mean')).data.map((value) => value * 0.18215)
    const [, , height = 8, width = 8] = pixels.shape
    const other = await StableDiffusion.open(checkpoint, { ...CPU, batch: 1, latentHeight: height / 8, latentWidth: width / 8 })
    expect(
      error(
        (
          await other.encode(
            float32(
              pixels.shape,
              pixels.data.map((value) => value / 2 + 0.5),
            ),
          )
        ).data,
        reference,
      ),
    ).toBeLessThan(1e-4)
    await other.dispose()
  })
})

describe('guidance', () => {
  it('of 1 gives the conditional prediction, and its gradient', async () => {
    const x = row(await cases.floats('ddim.latents'), 0)
    const theta = pipeline.fromAdapter(adapter)
    const [plain, twice, none] = await Promise.all(
      [1, 2, 0].map(async (guidance) =>
        pipeline.denoiser(
          prompts.map((prompt) => ({ prompt, guidance })),
          timesteps,
        ),
      ),
    )
    const [one, two, zero] = [await plain!.predict(0, x, theta), await twice!.predict(0, x, theta), await none!.predict(0, x, theta)]
    // e(2) = 2 e_c − e_u, e(0) = e_u
    expect(
      error(
        one.data,
        two.data.map((value, i) => (value + zero.data[i]!) / 2),
      ),
    ).toBeLessThan(1e-5)
    const [g1, g2, g0] = [await plain!.vjp(0, x, theta, x), await twice!.vjp(0, x, theta, x), await none!.vjp(0, x, theta, x)]
    expect(
      error(
        g1.dx.data,
        g2.dx.data.map((value, i) => (value + g0.dx.data[i]!) / 2),
      ),
    ).toBeLessThan(1e-4)
    expect(
      error(
        g1.dTheta,
        g2.dTheta.map((value, i) => (value + g0.dTheta[i]!) / 2),
      ),
    ).toBeLessThan(1e-4)
  })
})

describe('the trained adapter', () => {
  it('comes back from θ as it went in', () => {
    const { modules } = pipeline.toAdapter(pipeline.fromAdapter(adapter))
    const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1)
    expect(modules.toSorted(byPath)).toEqual(adapter.modules.toSorted(byPath))
  })

  it('does the same as the same adapter applied', async () => {
    const { trained: _, ...plain } = options
    const applied = await StableDiffusion.open(checkpoint, { ...plain, adapters: [{ adapter, strength: 1 }] })
    const x = row(await cases.floats('ddim.latents'), 0)
    const plans = prompts.map((prompt) => ({ prompt, guidance: 3 }))
    const theirs = await (await applied.denoiser(plans, timesteps)).predict(0, x, new Float32Array())
    const ours = await (await pipeline.denoiser(plans, timesteps)).predict(0, x, pipeline.fromAdapter(adapter))
    const bare = await (await pipeline.denoiser(plans, timesteps)).predict(0, x, new Float32Array(pipeline.layout.size))
    expect(error(ours.data, theirs.data)).toBeLessThan(1e-5)
    expect(error(bare.data, theirs.data)).toBeGreaterThan(1e-3)
    await applied.dispose()
  })

  it('takes one of lower rank and other alpha, which then does the same', () => {
    const lower = adapter.modules.map((module) => ({
      ...module,
      alpha: 3,
      down: float32([1, ...module.down.shape.slice(1)], module.down.data.slice(0, elementCount(module.down.shape.slice(1)))),
      up: float32(
        [module.up.shape[0]!, 1, ...module.up.shape.slice(2)],
        Array.from({ length: module.up.shape[0]! }, (_, i) => i + 1),
      ),
    }))
    const theta = pipeline.fromAdapter({ modules: lower, metadata: {} })
    const {
      path,
      up: { data },
      alpha,
      down: {
        shape: [rank = 1],
      },
    } = pipeline.toAdapter(theta).modules[0]!
    const original = lower.find((module) => module.path === path)!
    expect(Array.from({ length: data.length / rank }, (_, i) => (alpha / rank) * data[i * rank]!)).toEqual(
      Array.from(original.up.data, (value) => expect.closeTo(3 * value, 4) as number),
    )
  })

  it('begins as none: A within 1/√fan_in, B zero, the same for the same seed', () => {
    const theta = pipeline.initialTheta(new Random(1))
    expect(theta).toEqual(pipeline.initialTheta(new Random(1)))
    for (const { role, shape, offset } of pipeline.layout.parts) {
      const values = theta.subarray(offset, offset + elementCount(shape))
      const most = Math.max(...values.map(Math.abs))
      const bound = 1 / Math.sqrt(elementCount(shape.slice(1)))
      if (role === 'up') expect(most).toBe(0)
      else expect([most <= bound, most > bound / 2]).toEqual([true, true])
    }
  })

  it('refuses an adapter of other layers or a higher rank', async () => {
    expect(() => pipeline.fromAdapter({ modules: adapter.modules.slice(1), metadata: {} })).toThrow(
      /does not adapt .*, which is to be trained/,
    )
    const module = adapter.modules[0]!
    expect(() => pipeline.fromAdapter({ modules: [...adapter.modules.slice(1), { ...module, path: 'elsewhere' }], metadata: {} })).toThrow(
      /elsewhere/,
    )
    const { trained, ...rest } = options
    const low = await StableDiffusion.open(checkpoint, { ...rest, trained: { ...trained!, rank: 1 } })
    expect(() => low.fromAdapter(adapter)).toThrow(/has rank \d/)
  })

  it('is not possible where none of the layers exists', async () => {
    const trained = { rank: 2, alpha: 2, target: () => false }
    await expect(StableDiffusion.open(checkpoint, { ...options, trained })).rejects.toMatchObject({ code: 'recipe.impossible' })
  })
})

describe('adapters that are applied', () => {
  it('are matched against the model: one of another family is refused', async () => {
    const other = await readAdapter(join(GOLDEN, 'adapters', 'sdxl-micro-kohya.safetensors'))
    await expect(StableDiffusion.open(checkpoint, { ...options, adapters: [{ adapter: other, strength: 1 }] })).rejects.toMatchObject({
      code: 'adapter.mismatch',
    })
  })

  it('reach the text encoder too', async () => {
    const path = 'text_model.encoder.layers.0.self_attn.q_proj'
    const width = checkpoint.components.textEncoder!.config.hiddenSize
    const ones = (shape: number[]) => float32(shape, new Float32Array(elementCount(shape)).fill(0.5))
    const modules = [{ component: 'textEncoder' as const, path, down: ones([1, width]), up: ones([width, 1]), alpha: 1 }]
    const conditioned = async (strength: number) => {
      const other = await StableDiffusion.open(checkpoint, { ...options, adapters: [{ adapter: { modules, metadata: {} }, strength }] })
      return (await other.encodePrompts(['a fox']))[0]!.context.data
    }
    const [bare] = await pipeline.encodePrompts(['a fox'])
    expect(error(await conditioned(0), bare!.context.data)).toBeLessThan(1e-6)
    expect(error(await conditioned(1), bare!.context.data)).toBeGreaterThan(1e-4)
  })

  it('are refused on layers that no adapter can sit on', async () => {
    const { vocabSize, hiddenSize } = checkpoint.components.textEncoder!.config
    const module = {
      component: 'textEncoder' as const,
      path: 'text_model.embeddings.token_embedding',
      alpha: 1,
      down: float32([1, hiddenSize], new Float32Array(hiddenSize)),
      up: float32([vocabSize, 1], new Float32Array(vocabSize)),
    }
    const other = await StableDiffusion.open(checkpoint, {
      ...options,
      adapters: [{ adapter: { modules: [module], metadata: {} }, strength: 1, name: 'odd.safetensors' }],
    })
    await expect(other.encodePrompts(['a fox'])).rejects.toMatchObject({
      code: 'adapter.mismatch',
      message: expect.stringMatching(/odd\.safetensors adapts .*token_embedding/) as string,
    })
  })
})
