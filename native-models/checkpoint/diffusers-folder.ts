import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { HalfstepError } from '../../main/engine/errors.ts'
import { readJson } from '../weights/json-file.ts'
import { isPickleName, pickled } from '../weights/pickled.ts'
import { openSafetensors } from '../weights/safetensors.ts'
import { openSharded } from '../weights/sharded.ts'
import type { WeightSource } from '../weights/weight-source.ts'
import { canonicalImageEncoder, canonicalTextEncoder, canonicalVae } from './canonical-names.ts'
import { familyOf, type Checkpoint, type Component, type Components } from './checkpoint.ts'
import { parseClipTextConfig, type ClipTextConfig } from './clip-text-config.ts'
import { parseClipVisionConfig, type ClipVisionConfig } from './clip-vision-config.ts'
import { parseSchedulerConfig, type SchedulerConfig } from './scheduler-config.ts'
import { parseUnetConfig, type UnetConfig } from './unet-config.ts'
import { parseVaeConfig, type VaeConfig } from './vae-config.ts'

/**
 * Opens a folder in the layout of diffusers: `unet/`, `vae/`, `text_encoder/`, … each with its config and weights.
 * Any may be absent, and so may model_index.json.
 *
 * Throws `model.missing-component` when nothing is there, `model.unknown-family`, and whatever a broken component
 * throws (`config.*`, `weights.*`, `file.*`).
 */
export async function openDiffusersFolder(path: string): Promise<Checkpoint> {
  const problems: string[] = []
  const index = await readIndex(path)
  const folder = async (name: string): Promise<string | undefined> => {
    if (isSwitchedOff(index[name])) return undefined
    const candidate = join(path, name)
    if (await isFolder(candidate)) return candidate
    if (index[name] !== undefined) problems.push(`model_index.json lists ${name}, but that folder is not there.`)
    return undefined
  }

  const unet = await folder('unet')
  const textEncoder = await folder('text_encoder')
  const textEncoder2 = await folder('text_encoder_2')
  const vae = await folder('vae')
  const imageEncoder = await folder('image_encoder')
  const components: Components = {
    ...(unet && { unet: await readUnet(unet, problems) }),
    ...(textEncoder && { textEncoder: await readTextEncoder(textEncoder, problems) }),
    ...(textEncoder2 && { textEncoder2: await readTextEncoder(textEncoder2, problems) }),
    ...(vae && { vae: await readVae(vae, problems) }),
    ...(imageEncoder && { imageEncoder: await readImageEncoder(imageEncoder, problems) }),
  }
  if (Object.keys(components).length === 0) throw await nothingFound(path)

  const schedulerFolder = await folder('scheduler')
  const scheduler = schedulerFolder === undefined ? undefined : await readScheduler(schedulerFolder, problems)
  if (!scheduler && unet) problems.push('The folder has no scheduler: ε-prediction is assumed.')
  const tokenizerFolder = await folder('tokenizer')
  const tokenizer2Folder = await folder('tokenizer_2')
  return {
    path,
    layout: 'diffusers',
    family: familyOf(components),
    predictionType: scheduler?.predictionType ?? 'epsilon',
    components,
    ...(scheduler && { scheduler }),
    ...(tokenizerFolder && { tokenizerFolder }),
    ...(tokenizer2Folder && { tokenizer2Folder }),
    problems,
  }
}

/** A folder with a UNet2DConditionModel. Oddities are added to `problems`. */
export async function readUnet(folder: string, problems: string[] = []): Promise<Component<UnetConfig>> {
  const configFile = join(folder, 'config.json')
  return {
    config: parseUnetConfig(await readJson(configFile), configFile),
    weights: await openWeights(folder, 'diffusion_pytorch_model', problems),
  }
}

/** A folder with an AutoencoderKL. */
export async function readVae(folder: string, problems: string[] = []): Promise<Component<VaeConfig>> {
  const configFile = join(folder, 'config.json')
  return {
    config: parseVaeConfig(await readJson(configFile), configFile),
    weights: canonicalVae(await openWeights(folder, 'diffusion_pytorch_model', problems)),
  }
}

/** A folder with a CLIP text encoder, or a whole CLIP model, of which the text tower is taken. */
export async function readTextEncoder(folder: string, problems: string[] = []): Promise<Component<ClipTextConfig>> {
  const configFile = join(folder, 'config.json')
  const raw = await readJson(configFile)
  const weights = canonicalTextEncoder(await openWeights(folder, 'model', problems))
  return { config: parseClipTextConfig(raw, configFile, weights.find('text_projection.weight') !== undefined), weights }
}

/** A folder with a CLIP vision tower, or a whole CLIP model, of which the vision tower is taken. */
export async function readImageEncoder(folder: string, problems: string[] = []): Promise<Component<ClipVisionConfig>> {
  const configFile = join(folder, 'config.json')
  const raw = await readJson(configFile)
  const weights = canonicalImageEncoder(await openWeights(folder, 'model', problems))
  return { config: parseClipVisionConfig(raw, configFile, weights.find('visual_projection.weight') !== undefined), weights }
}

async function readScheduler(folder: string, problems: string[]): Promise<SchedulerConfig> {
  const configFile = join(folder, 'scheduler_config.json')
  const scheduler = parseSchedulerConfig(await readJson(configFile), configFile)
  if (scheduler.clipSample) problems.push(`${configFile} asks for latents clipped to ±${scheduler.clipSampleRange}, which is not done.`)
  return scheduler
}

/**
 * The weights in a component's folder: `<base>.safetensors`, else its sharded form, else the only variant there is
 * (`<base>.fp16.safetensors`). Throws `weights.pickled` when there are only pickles.
 */
export async function openWeights(folder: string, base: string, problems: string[] = []): Promise<WeightSource> {
  const files = await readdir(folder)
  const plain = [`${base}.safetensors`, `${base}.safetensors.index.json`].find((name) => files.includes(name))
  const variants = files.filter((name) => VARIANT.exec(name)?.[1] === base)
  const chosen = plain ?? (variants.length === 1 ? variants[0] : undefined)
  if (chosen === undefined) throw noWeights(folder, base, files, variants)
  if (chosen !== plain) problems.push(`${folder} holds its weights only as ${chosen}; that file is used.`)
  const open = chosen.endsWith('.json') ? openSharded : openSafetensors
  return await open(join(folder, chosen))
}

/** `model.fp16.safetensors`, or the index of such shards in its older and newer spelling; not a single shard. */
const VARIANT = /^([a-z_]+)\.(?:[\w-]+\.safetensors(?:\.index\.json)?|safetensors\.index\.[\w-]+\.json)$/

function noWeights(folder: string, base: string, files: readonly string[], variants: readonly string[]): HalfstepError {
  const pickle = files.find(isPickleName)
  if (variants.length > 1) {
    const message = `${folder} holds ${variants.join(' and ')}, and none of them is the plain ${base}.safetensors.`
    return new HalfstepError('model.missing-component', message, `Rename the one to use to ${base}.safetensors.`, { file: folder })
  }
  if (pickle !== undefined) return pickled(join(folder, pickle))
  const message = `${folder} has a config but no ${base}.safetensors.`
  return new HalfstepError('model.missing-component', message, 'Download the weights into that folder.', { file: folder })
}

async function readIndex(path: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(path, 'model_index.json')
  if (!(await exists(file))) return {}
  const index = await readJson(file)
  if (typeof index === 'object' && index !== null && !Array.isArray(index)) return { ...index }
  throw new HalfstepError('config.malformed', `${file} is not a JSON object.`, 'Download the file again.', { file })
}

/** model_index.json writes `[null, null]` for a component that is left out on purpose. */
function isSwitchedOff(listed: unknown): boolean {
  return Array.isArray(listed) && listed.every((part) => part === null)
}

async function nothingFound(path: string): Promise<HalfstepError> {
  if (await isFolder(join(path, 'transformer'))) {
    const message = `${path} holds a diffusion transformer (Stable Diffusion 3, Flux or the like), which Halfstep cannot run.`
    return new HalfstepError('model.unknown-family', message, 'Use a Stable Diffusion 1.x, 2.x or XL model.', { file: path })
  }
  const message = `${path} holds no model: none of unet, vae, text_encoder, text_encoder_2 and image_encoder is there.`
  const nextStep = 'Choose the folder that has these folders in it, or a single .safetensors file.'
  return new HalfstepError('model.missing-component', message, nextStep, { file: path })
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined
}
