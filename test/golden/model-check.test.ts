import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toFloat32 } from '../../main/engine/tensor/tensor.ts'
import { readWeight } from '../../native-models/weights/read-weight.ts'
import { openSafetensors, writeSafetensors } from '../../native-models/weights/safetensors.ts'
import { allEntries } from '../../native-models/weights/weight-source.ts'
import { GOLDEN, check, halfstep, start } from './halfstep.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-golden-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const golden = (...names: string[]): string => join(GOLDEN, ...names)
const casesOf = (name: string): string => golden(name, 'cases.safetensors')
const UNET = join('unet', 'diffusion_pytorch_model.safetensors')

/** A copy of sd15-micro that may be damaged. */
function copyModel(): string {
  const copy = join(folder, 'model')
  cpSync(golden('sd15-micro'), copy, { recursive: true })
  return copy
}

/** Changes one number of a float32 tensor where it lies in its file: by default that of median size. */
async function changeNumber(file: string, tensor: string, change: (value: number) => number, rank = 0.5): Promise<void> {
  const entry = (await openSafetensors(file)).find(tensor)
  if (entry?.dtype !== 'float32') throw new Error(`${file} has no float32 tensor ${tensor}`)
  const bytes = readFileSync(file)
  const value = (i: number): number => bytes.readFloatLE(entry.byteOffset + 4 * i)
  const bySize = Array.from({ length: entry.byteLength / 4 }, (_, i) => i).sort((a, b) => Math.abs(value(a)) - Math.abs(value(b)))
  const position = bySize[Math.floor(rank * (bySize.length - 1))]!
  bytes.writeFloatLE(change(value(position)), entry.byteOffset + 4 * position)
  writeFileSync(file, bytes)
}

const onePercent = (value: number): number => value * 1.01

describe('halfstep model check', () => {
  const holds = (name: string, file: string): boolean => existsSync(golden(name, file))
  const folders = readdirSync(GOLDEN).filter((name) => holds(name, 'cases.safetensors') && holds(name, 'model_index.json'))
  const files = readdirSync(golden('single-file')).filter((name) => name.endsWith('.safetensors'))
  const models = [
    ...folders.map((name) => [name, golden(name), casesOf(name)] as const),
    ...files.map((name) => [join('single-file', name), golden('single-file', name), casesOf(name.replace('.safetensors', ''))] as const),
  ]

  it('has every family, as folders and single files', () => {
    expect(folders).toEqual(expect.arrayContaining(['sd15-micro', 'sd15-shapes', 'sd21-bf16', 'sd21-micro', 'sdxl-micro']))
    expect(files).toEqual(expect.arrayContaining(['sd15-shapes.safetensors', 'sd21-micro.safetensors', 'sdxl-micro.safetensors']))
  })

  it.each(models)('agrees with PyTorch on %s', async (_, model, cases) => {
    const { code, report } = await check(model, cases)
    expect(report.lines.filter(({ passed }) => !passed)).toEqual([])
    expect(report.failures).toEqual([])
    expect([code, report.passed]).toEqual([0, true])
    const groups = new Set(report.lines.map(({ output }) => output.split('.')[0]))
    expect([...groups]).toEqual(
      expect.arrayContaining(['text', 'unet', 'vae', ...(model.includes('bf16') ? [] : ['ddim', 'reward', 'rlr'])]),
    )
    expect(report.notCovered).toEqual([])
  })

  it('prints a line per output, the worst of them and the verdict', async () => {
    const model = golden('sd15-micro')
    const { code, out } = await halfstep('model', 'check', model, casesOf('sd15-micro'), '--only', 'text.', '--device', 'cpu')
    expect(code).toBe(0)
    expect(out.match(/✓ +\S+ ≤ 1e-4 {2}text\.\w+$/gm)).toHaveLength(4)
    expect(out).toMatch(/4 outputs\. The worst is text\.\w+ with \S+ of 1e-4\.\n✓ Passed\.\n$/)
  })

  it('computes in half precision within its own tolerance', async () => {
    const { code, report } = await check(golden('sd15-micro'), casesOf('sd15-micro'), '--precision', 'float16', '--only', 'unet.')
    expect(code).toBe(0)
    const worst = Math.max(...report.lines.map(({ relativeError }) => relativeError))
    expect(worst).toBeGreaterThan(1e-4)
  })
})

describe('a mistake in the chain that is differentiated', () => {
  /** The names of `rlr.*` that fail with these cases. */
  async function failing(cases: string): Promise<Set<string>> {
    const { code, report } = await check(golden('sd15-micro'), cases, '--only', 'rlr.')
    expect(code).toBe(1)
    return new Set(report.lines.filter(({ passed }) => !passed).map(({ output }) => output.split('.')[1] ?? ''))
  }

  /** The cases of sd15-micro with one tensor changed as a whole. */
  async function changed(tensor: string, change: (values: Float32Array) => Float32Array): Promise<string> {
    const file = await openSafetensors(golden('sd15-micro', 'cases.safetensors'))
    const cases = join(folder, 'changed.safetensors')
    const tensors = await Promise.all(allEntries(file).map(async (entry) => [entry.name, await readWeight(entry)] as const))
    await writeSafetensors(
      cases,
      tensors.map(
        ([name, value]) =>
          [name, name === tensor ? { dtype: 'float32', shape: value.shape, data: change(toFloat32(value).data) } : value] as const,
      ),
    )
    return cases
  }

  it('a guidance scale that is off by 0.1 % shows in every gradient', async () => {
    const cases = await changed('ddim.guidance_scale', (w) => w.map((value) => 1.001 * value))
    expect(await failing(cases)).toEqual(new Set(['first_order', 'half_order', 'full_backprop']))
  })

  it('noise of the wrong sign shows in half order', async () => {
    expect(await failing(await changed('ddim.noise', (z) => z.map((value) => -value)))).toEqual(new Set(['half_order']))
  })

  it('another eta, and so other coefficients, shows in half order and full backpropagation', async () => {
    const cases = await changed('ddim.eta', (eta) => eta.map((value) => 0.8 * value))
    expect(await failing(cases)).toEqual(new Set(['half_order', 'full_backprop']))
  })

  it('a reward of the wrong sign shows in what is backpropagated from it', async () => {
    const cases = await changed('reward.mask', (mask) => mask.map((value) => -value))
    expect(await failing(cases)).toEqual(new Set(['first_order', 'full_backprop']))
  })
})

describe('one number in the cases file that is off by 1 %', () => {
  const MATRIX = 'mid_block.attentions.0.transformer_blocks.0.attn1.to_q.lora_B.weight'
  const OUTPUTS = [
    'text.last_hidden_state',
    'text.pooled',
    'unet.output',
    'unet.grad_sample',
    'unet.grad_encoder_hidden_states',
    'unet_lora.output',
    `unet_lora.grad.${MATRIX}`,
    'vae.decode.output',
    'vae.decode.grad_latents',
    'vae.encode.mean',
    'ddim.coef',
    'ddim.latents',
    'reward.value',
  ]

  const FEW = ['ddim.coef', 'reward.value']

  it('makes the check fail', async () => {
    const cases = join(folder, 'cases.safetensors')
    copyFileSync(golden('sd15-micro', 'cases.safetensors'), cases)
    await changeNumber(cases, 'vae.decode.output', onePercent)
    const { code, out } = await halfstep('model', 'check', golden('sd15-micro'), cases, '--device', 'cpu', '--only', 'vae.decode')
    expect(code).toBe(1)
    expect(out).toMatch(/✗ .* vae\.decode\.output, but \[\d+, \d+, \d+, \d+\] is \S+ and not \S+\n/)
    expect(out).toContain('✗ Failed: 1 output differs from the reference.')
  })

  const sizes = [
    ['median', 0.5],
    ['large', 1],
    ['small', 0.1],
  ] as const
  it.each(sizes)('is noticed in every kind of output, at a number of %s size', async (_, rank) => {
    const cases = join(folder, 'cases.safetensors')
    copyFileSync(golden('sd15-micro', 'cases.safetensors'), cases)
    // The smallest of a few numbers may be zero, or as good as.
    for (const output of OUTPUTS) await changeNumber(cases, output, onePercent, FEW.includes(output) ? 1 : rank)
    const { code, report } = await check(golden('sd15-micro'), cases)
    expect(code).toBe(1)
    // The gradients of rlr.* start from the stored latents, which were changed too: they have a test of their own.
    const failed = report.lines.filter(({ passed, output }) => !passed && !output.startsWith('rlr.')).map(({ output }) => output)
    expect(failed.sort()).toEqual([...OUTPUTS].sort())
  })

  it.each([
    ['median', 0.5],
    ['large', 1],
  ] as const)('is noticed in every kind of rlr.*, at a number of %s size', async (_, rank) => {
    const outputs = ['first_order', 'half_order', 'full_backprop'].map((group) => `rlr.${group}.${MATRIX}`)
    const cases = join(folder, 'cases.safetensors')
    copyFileSync(golden('sd15-micro', 'cases.safetensors'), cases)
    for (const output of outputs) await changeNumber(cases, output, onePercent, rank)
    const { code, report } = await check(golden('sd15-micro'), cases, '--only', 'rlr.')
    expect(code).toBe(1)
    expect(
      report.lines
        .filter(({ passed }) => !passed)
        .map(({ output }) => output)
        .sort(),
    ).toEqual(outputs.sort())
  })
})

describe('what cannot be checked ends with 1 and one sentence that names it', () => {
  /** Runs a check of the UNet and expects this sentence and no stack. */
  async function expectRefusal(model: string, cases: string, sentence: RegExp): Promise<void> {
    const { code, out, err } = await halfstep('model', 'check', model, cases, '--device', 'cpu', '--only', 'unet.')
    expect(code).toBe(1)
    expect(`${out}${err}`).toMatch(sentence)
    expect(`${out}${err}`).not.toMatch(/^ {4}at /m)
  }
  const CASES = golden('sd15-micro', 'cases.safetensors')

  it('a wrong path', async () => {
    await expectRefusal(join(folder, 'nothing'), CASES, /✗ .*nothing does not exist\./)
    await expectRefusal(golden('sd15-micro'), join(folder, 'no-cases.safetensors'), /✗ .*no-cases\.safetensors does not exist\./)
  })

  it('a truncated file', async () => {
    const model = copyModel()
    truncateSync(join(model, UNET), 1_000_000)
    await expectRefusal(model, CASES, /✗ .*diffusion_pytorch_model\.safetensors is not a valid safetensors file: .*\./)
  })

  it('a missing tensor', async () => {
    const model = copyModel()
    const file = await openSafetensors(join(model, UNET))
    const kept = allEntries(file).filter(({ name }) => name !== 'conv_in.weight')
    await writeSafetensors(file.path, await Promise.all(kept.map(async (entry) => [entry.name, await readWeight(entry)] as const)))
    await expectRefusal(model, CASES, /✗ .*diffusion_pytorch_model\.safetensors lacks the tensor conv_in\.weight\./)
    const inspected = await halfstep('model', 'inspect', model)
    expect(inspected).toMatchObject({ code: 1, out: expect.stringMatching(/✗ .* lacks the tensor conv_in\.weight\./) as string })
  })

  it('a weight that is NaN', async () => {
    const model = copyModel()
    await changeNumber(join(model, UNET), 'conv_out.weight', () => NaN)
    await expectRefusal(model, CASES, /✗ .*_model\.safetensors holds NaN or infinite numbers in the tensor conv_out\.weight\./)
    const inspected = await halfstep('model', 'inspect', model)
    expect(inspected).toMatchObject({ code: 1, out: expect.stringMatching(/✗ .* in the tensor conv_out\.weight\./) as string })
  })

  it('a config value that is not known', async () => {
    const model = copyModel()
    const file = join(model, 'unet', 'config.json')
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), act_fn: 'snake' }))
    await expectRefusal(model, CASES, /✗ .*config\.json sets act_fn to "snake", which Halfstep cannot compute\./)
  })

  it('cases without what they call for', async () => {
    const cases = join(folder, 'cases.safetensors')
    const file = await openSafetensors(CASES)
    const kept = allEntries(file).filter(({ name }) => name === 'unet.output' || name === 'unet.sample')
    await writeSafetensors(cases, await Promise.all(kept.map(async (entry) => [entry.name, await readWeight(entry)] as const)))
    await expectRefusal(golden('sd15-micro'), cases, /✗ unet: could not be computed\. .*cases\.safetensors has no tensor unet\.\w+/)
  })

  it('a LoRA in place of a model', async () => {
    const { code, err } = await halfstep('model', 'inspect', golden('adapters', 'sd15-micro-kohya.safetensors'))
    expect([code, err]).toEqual([1, expect.stringMatching(/^✗ .* holds a LoRA or another adapter, not a model\.\n/)])
  })
})

// Windows has no signal for it: there Ctrl+C is the console's.
if (process.platform !== 'win32') {
  it('Ctrl+C ends the check, and its engine, with 130', async () => {
    const child = start('model', 'check', golden('sd15-micro'), golden('sd15-micro', 'cases.safetensors'), '--device', 'cpu')
    await once(child.stdout, 'data')
    child.kill('SIGINT')
    expect(await once(child, 'close')).toEqual([130, null])
  })
}
