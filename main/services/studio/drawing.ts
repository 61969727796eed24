import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineJobs, Precision, SamplerName } from '../../engine/protocol.ts'
import type { RecipeJson } from '../../store/runs.ts'
import type { AdapterService } from '../adapters/adapters.ts'
import { unwritable } from '../content-files.ts'
import type { DeviceService } from '../devices.ts'
import type { ModelService } from '../models.ts'
import type { TemplateService } from '../templates/templates.ts'

/** What a person settles for a picture, whichever way it is drawn. */
export interface DrawingWish {
  readonly modelId: string
  readonly negative?: string | undefined
  readonly adapters: readonly { readonly id: string; readonly strength: number }[]
  /** A template by value, the id of one in the library, or the name of one that comes with Halfstep. */
  readonly template?: { readonly use: string | RecipeJson; readonly slots: Readonly<Record<string, string>> } | undefined
  /** Of the first picture; a random one unless given. */
  readonly seed?: number | undefined
  readonly count: number
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  readonly eta?: number | undefined
  readonly precision?: Precision | undefined
}

export interface DrawingParts {
  readonly devices: DeviceService
  readonly models: ModelService
  readonly adapters: AdapterService
  readonly templates: TemplateService
}

type Shared = keyof EngineJobs['model.generate']['request'] & keyof EngineJobs['model.repair']['request']

/** What the engine is asked for every way of drawing. */
export type DrawingRequest = Pick<EngineJobs['model.repair']['request'], Shared>

/**
 * A wish in the engine's terms. Throws `library.missing` for a model, adapter or template that is gone.
 * @param out the folder to draw into; a template by value is put there as a file
 */
export async function drawingRequest(
  { models, adapters, devices, templates }: DrawingParts, wish: DrawingWish & { readonly seed: number }, out: string,
): Promise<DrawingRequest> {
  const { negative, template, seed, count, sampler, steps, guidance, eta, precision } = wish
  const { device, float16 } = await devices.ready()
  const staged = template && { source: await templateSource(template.use, templates, out), slots: { ...template.slots } }
  return {
    model: models.get(wish.modelId).path,
    adapters: wish.adapters.map(({ id, strength }) => ({ path: adapters.fileOf(id), strength })),
    seed, count, sampler, steps, guidance, device, out,
    precision: precision ?? (float16 ? 'float16' : 'float32'),
    ...(negative === undefined ? {} : { negative }),
    ...(staged === undefined ? {} : { template: staged }),
    ...(eta === undefined ? {} : { eta }),
  }
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The engine takes templates by name or as files. */
async function templateSource(use: string | RecipeJson, templates: TemplateService, folder: string): Promise<string> {
  if (typeof use === 'string' && !ID.test(use)) return use
  const template = typeof use === 'string' ? (await templates.get(use)).template : use
  const path = join(folder, 'template.json')
  await writeFile(path, JSON.stringify(template)).catch((error: unknown) => {
    throw unwritable(path, error)
  })
  return path
}
