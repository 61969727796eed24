/** The app's calls, from the router down to the real engine, on the micro model: what a page asks for is what it gets. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { forkLauncher } from '../../main/engine/process/fork-launcher.ts'
import { readPngText } from '../../main/engine/pictures/png-metadata.ts'
import { type CallInput, type CallName, type CallResult, EVENTS, type EventName } from '../../main/ipc/contract.ts'
import { createHandlers } from '../../main/ipc/handlers.ts'
import { createRouter, type Router } from '../../main/ipc/router.ts'
import { engineIn } from '../../main/services/engine.ts'
import { openServices, type Services } from '../../main/services/services.ts'
import { examplePng } from '../unit/services/example-pictures.ts'

const GOLDEN = import.meta.dirname
const CRITIC = { kind: 'onnx', path: join(GOLDEN, 'onnx', 'resnet.onnx'), target: { index: 0 } }

let folder: string
let services: Services
let router: Router
let events: { name: EventName; payload: unknown }[]

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-app-'))
  services = openServices(engineIn(forkLauncher()), join(folder, 'library'), join(folder, 'no-starter'))
  services.devices.ready = async () => ({
    device: 'cpu', available: true, reason: null, detail: null, name: null, float16: false, convTranspose: 'correct',
    memoryBytes: null, speed: null, onnxruntimeVersion: '', probedAt: '',
  })
  events = []
  router = createRouter(createHandlers(services, (name, payload) => {
    // What a page is told is in the contract as well.
    EVENTS[name].parse(payload)
    events.push({ name, payload })
  }))
  services.start()
})

afterAll(() => {
  services.close()
  rmSync(folder, { recursive: true, force: true })
})

/** A call as a page makes it; the test fails when it does. */
async function call<N extends CallName>(name: N, args: CallInput<N>): Promise<CallResult<N>> {
  const reply = await router(name, args)
  if (!reply.ok) throw new Error(`${name}: ${reply.error.message} ${reply.error.nextStep}`)
  return reply.value as CallResult<N>
}
const finished = (id: string): Promise<void> => vi.waitFor(async () => {
  expect((await call('runs.get', { id })).summary.state).toBe('finished')
}, { timeout: 120_000, interval: 200 })
const inLibrary = (url: string): string => join(services.app.libraryFolder, url.replace('/library/', ''))

describe('the app', { timeout: 240_000 }, () => {
  let modelId = ''

  it('adds models where they lie, with progress, and refuses what is none in a sentence', async () => {
    const model = await call('models.add', { path: join(GOLDEN, 'sd15-micro', 'model_index.json'), task: 'add' })
    modelId = model.id
    expect(model).toMatchObject({ name: 'sd15-micro', summary: { family: 'sd1', layout: 'diffusers' }, missing: false })
    expect(events.some(({ name, payload }) => name === 'tasks.progress' && JSON.stringify(payload).includes('unet'))).toBe(true)
    const singleFile = await call('models.add', { path: join(GOLDEN, 'single-file', 'sd15-shapes.safetensors') })
    expect(singleFile).toMatchObject({ name: 'sd15-shapes', summary: { layout: 'single-file' } })
    writeFileSync(join(folder, 'model.ckpt'), 'PK\u0003\u0004')
    expect(await router('models.add', { path: join(folder, 'model.ckpt') })).toMatchObject({ ok: false })
    expect(await call('models.list', {})).toHaveLength(2)
  })

  it('judges templates and rewards as the engine does', async () => {
    const templates = await call('templates.list', {})
    expect(templates.find(({ key }) => key === 'hands-five-fingers')).toMatchObject({ builtIn: true })
    const { template } = templates.find(({ key }) => key === 'hands-two')!
    const own = await call('templates.save', { template: { ...template, name: 'Mine' } })
    expect((await call('templates.import', { text: JSON.stringify(template), name: 'x.json' })).builtIn).toBe(false)
    expect(own.template.stages).toEqual(template.stages)
    expect(await router('templates.save', { template: { ...template, stages: template.stages.slice(1) } }))
      .toMatchObject({ ok: false, error: { code: 'template.malformed' } })
    const misspelt = await router('rewards.save', { name: 'x', spec: { kind: 'onxx' } })
    expect(misspelt).toMatchObject({ ok: false, error: { code: 'recipe.malformed' } })
    const reward = await call('rewards.save', { name: 'Critic', spec: CRITIC })
    expect(reward.spec).toMatchObject({ weight: 1 })
    writeFileSync(join(folder, 'picture.png'), await examplePng(3, { width: 32, height: 32 }))
    const [reading] = await call('rewards.test', { spec: reward.spec, pictures: [{ path: join(folder, 'picture.png') }] })
    expect(reading?.parts).toEqual({ resnet: reading?.value })
  })

  it('trains by a reward, drafted and estimated, and gives the adapter for other programs', async () => {
    const [reward] = await call('rewards.list', {})
    const choices = { goal: 'tune-to-taste', modelId, effort: 'quick', promptsKey: 'scenes', rewardId: reward!.id } as const
    const { recipe: draft } = await call('training.draft', choices)
    const recipe = {
      ...draft, updates: 2, sampling: { steps: 2 }, schedule: { kind: 'constant' }, samples: { every: 1, count: 1 },
      batch: { prompts: 1, samplesPerPrompt: 2 }, estimator: { kind: 'reinforce' },
    }
    expect(await call('training.estimate', { recipe })).toMatchObject({ device: 'cpu', updates: 2 })
    const { id } = await call('training.start', { name: 'Tuned', goal: 'tune-to-taste', recipe })
    await finished(id)
    const { summary, recipe: complete, pictures, metrics } = await call('runs.get', { id })
    expect(metrics.update).toEqual([1, 2])
    expect(pictures.map(({ update }) => update)).toEqual([0, 1, 2])
    expect(existsSync(inLibrary(pictures[0]!.url))).toBe(true)
    expect(complete).toMatchObject({ updates: 2, optimizer: { beta1: 0.9 } })

    for (const format of ['kohya', 'peft'] as const) {
      const { url } = await call('adapters.export', { id: summary.adapterId ?? '', format })
      const back = await call('adapters.import', { path: inLibrary(url ?? '') })
      expect(back.summary).toMatchObject({ format })
    }
    const { adapter } = await call('adapters.merge', { parts: [{ id: summary.adapterId ?? '', strength: 0.5 }], name: 'Half', rank: 1 })
    expect(adapter.summary.ranks).toEqual([1])
  })

  it('learns from pictures of its own', async () => {
    const pictures = join(folder, 'pictures')
    mkdirSync(pictures)
    for (let tone = 0; tone < 3; tone++) {
      writeFileSync(join(pictures, `${tone}.png`), await examplePng(tone, { width: 32, height: 32 }))
      writeFileSync(join(pictures, `${tone}.txt`), `tone ${tone}`)
    }
    const { id: datasetId } = await call('datasets.create', { name: 'Tones' })
    expect(await call('datasets.import', { id: datasetId, paths: [pictures] })).toMatchObject({ added: 3, captions: 3, skipped: [] })
    const { buckets } = await call('datasets.buckets', { id: datasetId, resolution: 32, granularity: 8 })
    expect(buckets.map(({ images }) => images)).toEqual([3])
    const { recipe: draft } = await call('training.draft', { goal: 'teach-style', modelId, effort: 'quick', datasetId })
    const recipe = { ...draft, updates: 2, schedule: { kind: 'constant' }, samples: { every: null } }
    const { id } = await call('training.start', { name: 'Style', goal: 'teach-style', recipe })
    await finished(id)
  })

  it('makes pictures before and after, and keeps their recipes in them', async () => {
    const adapter = (await call('adapters.list', {})).find(({ name }) => name === 'Tuned')!
    const wish = { modelId, prompts: ['a hand'], seed: 7, steps: 2, count: 2 }
    const before = await call('studio.generate', { ...wish, task: 'before' })
    const after = await call('studio.generate', { ...wish, adapters: [{ id: adapter.id, strength: 5 }], template: { use: 'hands-two' } })
    expect(before.generations.map(({ seed }) => seed)).toEqual(after.generations.map(({ seed }) => seed))
    expect(before.generations[0]?.url).not.toBe(after.generations[0]?.url)
    expect(readPngText(readFileSync(inLibrary(after.generations[0]!.url))).get('halfstep')).toContain('hands-two')
    expect(events.filter(({ name }) => name === 'studio.picture')).toHaveLength(4)
    const { pairs: [pair] } = await call('tastes.next', { taste: 'mine' })
    await call('tastes.rate', { taste: 'mine', left: pair!.left.picture, right: pair!.right.picture, preferred: 'left' })
    expect(await call('tastes.list', {})).toEqual([{ taste: 'mine', ratings: 1, choices: 1 }])
  })

  it('is in order afterwards', async () => {
    expect(await call('library.verify', {})).toEqual({ findings: [] })
    expect(await call('tasks.list', {})).toEqual([])
    expect(await call('bin.list', {})).toEqual([])
  })
})
