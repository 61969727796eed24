/** How a picture was made, as texts to keep in its file. */
import { basename, extname } from 'node:path'
import { HALFSTEP_VERSION } from '../adapters/halfstep-version.ts'
import type { Device, Precision, SamplerName } from '../protocol.ts'
import type { Template } from '../templates/template.ts'

/** Everything that decided a picture. Files are named without their folders, which are nobody else's business. */
export interface PictureRecipe {
  readonly model: string
  readonly family: string
  readonly prompt: string
  readonly negative: string | null
  readonly template: { readonly template: Template; readonly slots: Readonly<Record<string, string>> } | null
  readonly adapters: readonly { readonly file: string; readonly strength: number }[]
  readonly seed: number
  readonly sampler: SamplerName
  readonly steps: number
  readonly guidance: number
  readonly eta: number
  readonly width: number
  readonly height: number
  /** The file of latents that it was started from, and which of them. */
  readonly latents: { readonly file: string; readonly index: number; readonly noise: boolean } | null
  readonly device: Device
  readonly precision: Precision
}

/** `parameters` as A1111 writes them, which other programs read, and `halfstep` with the whole recipe as JSON. */
export function recipeTexts(recipe: PictureRecipe): Record<'parameters' | 'halfstep', string> {
  return { parameters: parametersOf(recipe), halfstep: JSON.stringify({ version: 1, program: HALFSTEP_VERSION, ...recipe }) }
}

function parametersOf(recipe: PictureRecipe): string {
  const { prompt, negative, adapters, template } = recipe
  const loras = adapters.map(({ file, strength }) => `<lora:${basename(file, extname(file))}:${strength}>`)
  const settings = {
    'Steps': recipe.steps,
    'Sampler': samplerName(recipe),
    'CFG scale': recipe.guidance,
    'Seed': recipe.seed,
    'Size': `${recipe.width}x${recipe.height}`,
    'Model': basename(recipe.model, extname(recipe.model)),
    ...(recipe.eta === 0 ? {} : { Eta: recipe.eta }),
    ...(template === null ? {} : { Template: template.template.name }),
    'Version': `Halfstep ${HALFSTEP_VERSION}`,
  }
  return [
    [prompt, ...loras].filter((part) => part !== '').join(' '),
    ...(negative === null || negative === '' ? [] : [`Negative prompt: ${negative}`]),
    Object.entries(settings).map(([key, value]) => `${key}: ${value}`).join(', '),
  ].join('\n')
}

/** As A1111 calls them. */
function samplerName({ sampler, eta }: PictureRecipe): string {
  switch (sampler) {
    case 'ddim':
      return 'DDIM'
    case 'dpmpp':
      return 'DPM++ 2M'
    case 'euler':
      return eta === 0 ? 'Euler' : 'Euler a'
  }
}
