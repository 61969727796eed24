import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HalfstepError } from '../../../main/engine/errors.ts'
import type { AdapterSummary, CheckLine, CheckReport, ModelSummary } from '../../../main/engine/protocol.ts'
import { type Answers, run } from './recorder.ts'

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-cli-'))
  // An empty library, whatever the machine remembers.
  vi.stubEnv('HALFSTEP_HOME', folder)
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

const COMMANDS = [
  'model inspect', 'model check', 'model tokenize', 'model bench',
  'adapter inspect', 'adapter convert', 'adapter merge', 'onnx grad', 'devices', 'train',
]

describe('help', () => {
  it.each(COMMANDS)('halfstep %s --help shows an example, the options and the exit codes', async (command) => {
    const { code, out, err } = await run([...command.split(' '), '--help'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`Usage: halfstep ${command}`)
    expect(out).toMatch(/Examples?:\n {2}halfstep /)
    expect(out).toContain(`  halfstep ${command} `)
    for (const text of ['--json', '--verbose', 'Exit codes:', '130']) expect(out).toContain(text)
  })

  it('lists every command in its group', async () => {
    const pages = await Promise.all([[], ['model'], ['adapter'], ['onnx']].map((group) => run([...group, '--help'])))
    const text = pages.map(({ out }) => out).join('')
    for (const command of COMMANDS) expect(text).toContain(`  ${command.split(' ').at(-1)!} `)
  })

  it('is what a command without its subcommand shows, as a usage error', async () => {
    expect(await run(['model'])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage: halfstep model') as string })
  })

  it('gives the version', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string })
  })
})

describe('a wrong command line', () => {
  it.each([
    [['model', 'chek'], 'Did you mean check?', 'halfstep model --help'],
    [['model', 'check', 'a', 'b', '--devise', 'cpu'], 'Did you mean --device?', 'halfstep model check --help'],
    [['model', 'check', 'a', 'b', '--device', 'gpu'], 'Allowed choices are cuda, dml, coreml, webgpu, cpu.', 'halfstep model check --help'],
    [['model', 'check', 'a'], 'Missing required argument \'cases\'.', 'halfstep model check --help'],
    [['adapter', 'convert', 'a', 'b'], '--format', 'halfstep adapter convert --help'],
    [['adapter', 'merge', 'a:1.2.3', '--out', 'b'], '1.2.3 is not a number.', 'halfstep adapter merge --help'],
  ])('%j ends with 2 and says what is wrong and where help is', async (args, problem, help) => {
    const { code, out, err, requests } = await run(args)
    expect([code, out, requests]).toEqual([2, '', []])
    expect(err).toContain(problem)
    expect(err).toContain(help)
  })

  it('is a JSON document with --json', async () => {
    const { code, out, err } = await run(['model', 'chek', '--json'])
    expect([code, err]).toEqual([2, ''])
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'usage', message: 'Unknown command \'chek\'. Did you mean check?' } })
  })
})

describe('an error', () => {
  const broken = new HalfstepError('weights.malformed', 'x.safetensors is not a valid safetensors file.', 'Download it again.')

  it('is one sentence and the next step on the error stream, and exit code 1', async () => {
    const result = await run(['model', 'inspect', 'x.safetensors'], { 'model.inspect': { result: broken } })
    expect(result).toMatchObject({ code: 1, out: '', err: '✗ x.safetensors is not a valid safetensors file.\n  Download it again.\n' })
  })

  it('is {"error": …} on the output stream with --json', async () => {
    const { code, out, err } = await run(['model', 'inspect', 'x.safetensors', '--json'], { 'model.inspect': { result: broken } })
    expect([code, err]).toEqual([1, ''])
    expect(JSON.parse(out)).toEqual({ error: broken.toValue() })
  })

  it('of usage that only the engine can find ends with 2', async () => {
    const usage = new HalfstepError('usage', 'The model has no output named y.', 'It has score.')
    const args = ['onnx', 'grad', 'm.onnx', '--output', 'y', '--wrt', 'x']
    expect(await run(args, { 'onnx.grad': { result: usage } })).toMatchObject({ code: 2 })
  })
})

describe('model check', () => {
  const good: CheckLine = { output: 'unet.output', relativeError: 1.2e-6, tolerance: 1e-4, outlier: null, passed: true }
  const bad: CheckLine = { ...good, output: 'vae.decode.output', relativeError: 0.02, passed: false }
  const report = (lines: CheckLine[], more: Partial<CheckReport> = {}): CheckReport =>
    ({ lines, failures: [], notCovered: [], passed: lines.every(({ passed }) => passed), ...more })
  const check = (value: CheckReport, ...options: string[]) =>
    run(['model', 'check', 'm', 'c', ...options], { 'model.check': { progress: value.lines, result: value } })

  it('prints a line per output and ends with 0 when all pass', async () => {
    const { code, out } = await check(report([good]), '--device', 'cpu')
    expect(code).toBe(0)
    expect(out).toMatch(/unet\n.*✓.*1\.2e-6 ≤ 1e-4 {2}unet\.output\n/)
    expect(out).toContain('✓ Passed.')
  })

  it('ends with 1 when an output exceeds its tolerance', async () => {
    const { code, out } = await check(report([good, bad]), '--device', 'cpu')
    expect(code).toBe(1)
    expect(out).toMatch(/✗.*2e-2 > 1e-4 {2}vae\.decode\.output/)
    expect(out).toContain('2 outputs. The worst is vae.decode.output with 2e-2 of 1e-4.')
  })

  it('ends with 1 when a group could not be computed, and names what is not covered', async () => {
    const failures = [{ group: 'vae', reason: 'm has no VAE.' }]
    const skipped = { failures, notCovered: [{ group: 'rlr', reason: 'this version does not know it' }], passed: false }
    const { code, out } = await check(report([good], skipped), '--device', 'cpu')
    expect(code).toBe(1)
    expect(out).toContain('✗ vae: could not be computed. m has no VAE.')
    expect(out).toContain('rlr: not covered')
  })

  it('is one document with --json', async () => {
    const { code, out } = await check(report([good, bad]), '--device', 'cpu', '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toEqual(report([good, bad]))
  })

  it('passes its options on', async () => {
    const { requests } = await check(report([good]), '--device', 'webgpu', '--only', 'unet.', '--precision', 'float16')
    expect(requests).toEqual([{ model: 'm', cases: 'c', device: 'webgpu', only: 'unet.', precision: 'float16' }])
  })

  it('takes the processor when nothing was probed, says so beside the results, and creates no library', async () => {
    const { requests, err } = await check(report([good]))
    expect(requests).toMatchObject([{ device: 'cpu', precision: 'float32' }])
    expect(err.trim().split('\n')).toEqual([expect.stringContaining('Using the processor')])
    expect(await run(['devices', '--json'])).toMatchObject({ code: 0, out: '{"devices":[],"chosen":null}\n' })
  })
})

describe('model inspect', () => {
  const model: ModelSummary = {
    path: '/models/m', family: 'sd2', layout: 'diffusers', predictionType: 'v_prediction', tokenizer: null,
    components: [{ name: 'unet', parameters: 865_910_724, bytes: 1_731_821_448, precision: { float16: 1_731_821_448 } }],
    latentSize: [4, 96, 96], crossAttentionWidth: 1024, problems: ['No scheduler.'], faults: [],
  }

  it('says what the model is', async () => {
    const { code, out } = await run(['model', 'inspect', 'm'], { 'model.inspect': { result: model } })
    expect(code).toBe(0)
    const facts = ['Stable Diffusion 2.x', 'velocity v', '4 × 96 × 96', '1024 wide', '866 M', '1.73 GB', 'float16', '! No scheduler.']
    for (const fact of facts) expect(out).toContain(fact)
  })

  it('ends with 1 when weights are missing or not finite', async () => {
    const result = { ...model, faults: ['m lacks the tensor t.'] }
    const { code, out } = await run(['model', 'inspect', 'm'], { 'model.inspect': { result } })
    expect(code).toBe(1)
    expect(out).toContain('✗ m lacks the tensor t.')
    expect(out).not.toContain('All weights are there')
  })
})

describe('adapters', () => {
  const summary: AdapterSummary = {
    format: 'kohya', dtype: 'float16', family: 'sdxl', title: 'Fox', ranks: [8], alphas: [4], modules: 2, parameters: 4096,
    components: { unet: 2 }, targets: { 'cross-attention': 2 }, problems: ['Alpha is zero.'],
  }
  const existing = (): string => {
    const path = join(folder, 'existing.safetensors')
    writeFileSync(path, 'x')
    return path
  }

  it('are described', async () => {
    const { out } = await run(['adapter', 'inspect', 'a'], { 'adapter.inspect': { result: summary } })
    for (const text of ['Fox', 'Stable Diffusion XL', 'kohya, float16', '4.10 k', 'UNet 2', '! Alpha is zero.']) expect(out).toContain(text)
  })

  it('are merged with their strengths', async () => {
    const out = join(folder, 'new.safetensors')
    const merged = { 'adapter.merge': { result: { summary, keptEnergy: 0.9 } } }
    const result = await run(['adapter', 'merge', 'a:0.7', 'b', '--out', out, '--rank', '4'], merged)
    expect(result.requests).toEqual([{ parts: [{ path: 'a', strength: 0.7 }, { path: 'b', strength: 1 }], out, rank: 4 }])
    expect(result).toMatchObject({ code: 0, out: expect.stringContaining('90.00 %') as string })
  })

  it('never replace an existing file unasked', async () => {
    const out = existing()
    const answers = { 'adapter.convert': { result: summary } }
    expect(await run(['adapter', 'convert', 'a', out, '--format', 'peft'], answers)).toMatchObject({
      code: 1, requests: [], err: expect.stringContaining('exists already') as string,
    })
    expect(await run(['adapter', 'convert', 'a', out, '--format', 'peft', '--force'], answers)).toMatchObject({ code: 0 })
  })

  it('never replace one of the inputs, not even when forced', async () => {
    const out = existing()
    const spelled = join(folder, '.', 'sub', '..', 'existing.safetensors')
    for (const args of [['convert', spelled, out, '--format', 'peft'], ['merge', 'a', `${spelled}:0.5`, '--out', out]]) {
      const { code, requests, err } = await run(['adapter', ...args, '--force'])
      expect([code, requests]).toEqual([2, []])
      expect(err).toContain('same file')
    }
  })
})

describe('model tokenize', () => {
  const result = [{ text: 'a fox', ids: [1, 320, 3240, 2, 2, 2] }]
  it('prints ids without repeating the padding', async () => {
    expect(await run(['model', 'tokenize', 'clip', 'a fox'], { 'model.tokenize': { result } })).toMatchObject({
      code: 0, out: '"a fox": 1 320 3240 2 … (6 ids, the rest 2)\n', requests: [{ source: 'clip', texts: ['a fox'] }],
    })
  })
  it('prints all of them with --json', async () => {
    const { out } = await run(['model', 'tokenize', 'clip', 'a fox', '--json'], { 'model.tokenize': { result } })
    expect(JSON.parse(out)).toEqual(result)
  })
})

describe('onnx grad and model bench', () => {
  it('writes beside the model by default, with the sizes given', async () => {
    const signature = { name: 'x', dtype: 'float32', shape: [4, 3] }
    const { requests, out } = await run(
      ['onnx', 'grad', join('models', 'head.onnx'), '--output', 'y', '--wrt', 'x', 'w', '--dim', 'batch=4'],
      { 'onnx.grad': { result: { inputs: [signature], outputs: [] } } },
    )
    const written = join('models', 'head.grad.onnx')
    expect(requests).toEqual([{ path: join('models', 'head.onnx'), output: 'y', wrt: ['x', 'w'], dimensions: { batch: 4 }, out: written }])
    expect(out).toBe(`Wrote ${written}:\n  takes  x  float32 [4, 3]\n`)
  })

  it('measures a standard size or a model of one\'s own', async () => {
    const measurement = { seconds: [2, 1, 3], median: 2, memoryAboveWeights: 1e9 }
    const vjp = { ...measurement, median: 5 }
    const result = { parameters: 1e9, weightBytes: 4e9, compileSeconds: 1, forward: measurement, vjp, deviceBytes: null }
    const answers: Answers = { 'model.bench': { progress: [{ stage: 'compile' }], result } }
    const bench = (config: string) => run(['model', 'bench', '--config', config, '--device', 'cpu'], answers)
    const { requests, out } = await bench('sd15')
    expect(requests).toMatchObject([{ config: 'sd15', latent: 64, batch: 1, runs: 3, recomputation: 'auto', precision: 'float32' }])
    expect(out).toContain('gradient / forward: 2.50')
    expect((await bench('my-model')).requests).toMatchObject([{ config: { model: 'my-model' } }])
  })
})
