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
  /** Where only a part of another picture was drawn. */
  readonly repair?: RepairedPart
}

/** What of a picture was drawn anew, and how. */
export interface RepairedPart {
  readonly source: { readonly file: string; readonly sha256: string }
  /** A PNG in base64, in the picture's size: white was drawn anew. */
  readonly mask: string
  /** In pixels, inwards. */
  readonly feather: number
  /** How far around the mask the model saw, in its longer sides; null for the whole picture. */
  readonly context: number | null
  /** The part of the steps that was run, 0 … 1. */
  readonly strength: number
  /** What the model saw, in the picture's pixels, and the size it drew it at. */
  readonly region: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
  readonly drawnAt: { readonly width: number; readonly height: number }
}

/** `parameters` as A1111 writes them, which other programs read, and `halfstep` with the whole recipe as JSON. */
export function recipeTexts(recipe: PictureRecipe): Record<'parameters' | 'halfstep', string> {
  return { parameters: parametersOf(recipe), halfstep: JSON.stringify({ version: 1, program: HALFSTEP_VERSION, ...recipe }) }
}

function parametersOf(recipe: PictureRecipe): string {
  const { prompt, negative, adapters, template, repair } = recipe
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
    ...(repair === undefined ? {} : { 'Denoising strength': repair.strength, 'Mask blur': repair.feather }),
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
