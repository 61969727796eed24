import { HalfstepError } from '../../main/engine/errors.ts'
import { STANDARD_TOKENS } from '../tokenizer/clip-vocabulary.ts'
import { tokenizerBeside } from '../tokenizer/tokenizer-folder.ts'
import { readWeight } from '../weights/read-weight.ts'
import { openSafetensors, type SafetensorsFile } from '../weights/safetensors.ts'
import { withoutPrefix, type WeightSource } from '../weights/weight-source.ts'
import { familyOf, SDXL_SCALING_FACTOR, type Checkpoint, type Component, type Components, type Family } from './checkpoint.ts'
import { parseClipTextConfig, type ClipTextConfig } from './clip-text-config.ts'
import { unsupported } from './config-file.ts'
import type { Found } from './found.ts'
import { refuseOtherFiles, unknownFile } from './other-files.ts'
import { parseSchedulerConfig, type SchedulerConfig } from './scheduler-config.ts'
import { mapClip, mapOpenClip, mapOpenClipWithProjection, usedLayers } from './single-file-clip.ts'
import { mapUnet } from './single-file-unet.ts'
import { mapVae } from './single-file-vae.ts'
import { parseUnetConfig } from './unet-config.ts'
import { parseVaeConfig } from './vae-config.ts'

/**
 * Opens a single .safetensors file in the original layout of SD 1.x, 2.x or SDXL. Configs are inferred from names and
 * shapes; where those do not decide, the family's standard is taken and said in `problems`. The file's own metadata
 * may override any key: `halfstep.unet_config`, `halfstep.vae_config`, `halfstep.text_encoder_config`,
 * `halfstep.text_encoder_2_config`, `halfstep.scheduler_config`, each JSON in diffusers' form.
 *
 * Throws `model.unknown-family` for other kinds of files, saying which where it can be told.
 */
export async function openSingleFile(path: string): Promise<Checkpoint> {
  const file = await openSafetensors(path)
  refuseOtherFiles(file)
  const { components, problems } = findComponents(file)
  if (Object.keys(components).length === 0) {
    const nextStep = 'Choose the .safetensors file of a whole model, or a diffusers folder.'
    throw unknownFile(file, 'no Stable Diffusion 1.x, 2.x or XL model', nextStep)
  }
  const family = familyOf(components)
  const scheduler = await findScheduler(file, components, family, problems)
  const tokenizerFolder = await tokenizerBeside(path, 'tokenizer')
  const tokenizer2Folder = await tokenizerBeside(path, 'tokenizer_2')
  if (tokenizerFolder === undefined) problems.push(...foreignVocabulary(components))
  return {
    path, layout: 'single-file', family, predictionType: scheduler.predictionType, components, scheduler, problems,
    ...(tokenizerFolder && { tokenizerFolder }),
    ...(tokenizer2Folder && { tokenizer2Folder }),
  }
}

/** What a text encoder that was not trained with CLIP's standard tokens lacks to read prompts. */
function foreignVocabulary({ textEncoder }: Components): string[] {
  const { vocabSize } = textEncoder?.config ?? {}
  if (vocabSize === undefined || vocabSize >= STANDARD_TOKENS) return []
  return [
    `Its text encoder knows ${vocabSize} tokens and CLIP’s standard tokenizer makes ${STANDARD_TOKENS}: it can read prompts once the`
    + ' folder `tokenizer` that belongs to it, or its vocab.json and merges.txt, lies beside the file.',
  ]
}

function findComponents(file: SafetensorsFile): { components: Components; problems: string[] } {
  const problems: string[] = []
  /** A component's typed config: inferred, then overridden by the file's metadata. */
  const component = <Config>(found: Found, parse: (raw: unknown, file: string) => Config, key: string): Component<Config> => {
    const override = metadataObject(file, `halfstep.${key}`)
    if (override === undefined) problems.push(...found.assumptions)
    return { config: parse({ ...found.config, ...override }, file.path), weights: found.weights }
  }

  const textComponent = (found: Found, key: string): Component<ClipTextConfig> => {
    const { config, weights } = component(found, parseClipTextConfig, key)
    return { config, weights: usedLayers(weights, config.layers) }
  }
  const first = findTextEncoder(file)
  const second = findTextEncoder2(file)
  const textEncoder = first && textComponent(first, 'text_encoder_config')
  const textEncoder2 = second && textComponent(second, 'text_encoder_2_config')

  const unetWeights = part(file, 'model.diffusion_model.')
  if (unetWeights && hasUnclipEmbedding(file, unetWeights)) throw unsupported(file.path, 'class_embed_type', 'projection')
  const foundUnet = unetWeights && mapUnet(unetWeights, textEncoder2?.config.projectionDim)
  const unet = foundUnet && component(foundUnet, parseUnetConfig, 'unet_config')

  const vaeWeights = part(file, 'first_stage_model.')
  const isXl = unet ? unet.config.addition !== undefined : textEncoder2 !== undefined
  const foundVae = vaeWeights && mapVae(vaeWeights, isXl ? SDXL_SCALING_FACTOR : 0.18215)
  const vae = foundVae && component(foundVae, parseVaeConfig, 'vae_config')

  const components = {
    ...(unet && { unet }),
    ...(textEncoder && { textEncoder }),
    ...(textEncoder2 && { textEncoder2 }),
    ...(vae && { vae }),
  }
  return { components, problems }
}

/** The weights below a prefix, if there are any. */
function part(file: WeightSource, prefix: string): WeightSource | undefined {
  const weights = withoutPrefix(file, prefix)
  return weights.names().length > 0 ? weights : undefined
}

function findTextEncoder(file: WeightSource): Found | undefined {
  const clip = part(file, 'cond_stage_model.transformer.') ?? part(file, 'conditioner.embedders.0.transformer.')
  if (clip) return mapClip(clip)
  const openClip = part(file, 'cond_stage_model.model.')
  return openClip && mapOpenClip(openClip)
}

/** OpenCLIP with projection is the second encoder of SDXL's base, and the only one of its refiner. */
function findTextEncoder2(file: WeightSource): Found | undefined {
  const openClip = part(file, 'conditioner.embedders.1.model.') ?? part(file, 'conditioner.embedders.0.model.')
  return openClip && mapOpenClipWithProjection(openClip)
}

/** SD 2.1 unCLIP feeds an image embedding where SDXL has sizes and pooled text. */
function hasUnclipEmbedding(file: WeightSource, unet: WeightSource): boolean {
  return unet.names().some((name) => name.startsWith('label_emb.')) && file.names().some((name) => name.startsWith('cond_stage_model.'))
}

/** The noise schedule all of these models were trained with; what the network predicts differs. */
async function findScheduler(file: SafetensorsFile, components: Components, family: Family, problems: string[]): Promise<SchedulerConfig> {
  const foreign = file.names().find((name) => name.startsWith('edm_'))
  if (foreign !== undefined) throw unsupported(file.path, foreign, 'EDM noise levels')
  const override = metadataObject(file, 'halfstep.scheduler_config')
  const raw = {
    _class_name: 'DDIMScheduler',
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    beta_end: 0.012,
    steps_offset: 1,
    clip_sample: false,
    set_alpha_to_one: false,
    rescale_betas_zero_snr: file.find('ztsnr') !== undefined,
    prediction_type: override?.prediction_type ?? (await findPrediction(file, components, family, problems)),
  }
  return parseSchedulerConfig({ ...raw, ...override }, file.path)
}

/**
 * What the UNet predicts: as a marker tensor or the metadata says; else by the rule of diffusers' `from_single_file`,
 * where SD 2.x is v-prediction unless it stopped at step 875000, as 2-base did, and everything else is ε-prediction.
 */
async function findPrediction(file: SafetensorsFile, components: Components, family: Family, problems: string[]): Promise<string> {
  if (file.find('v_pred') !== undefined) return 'v_prediction'
  const stated = file.metadata.get('modelspec.prediction_type')
  if (stated !== undefined) return stated === 'v' ? 'v_prediction' : stated
  const isBaseShape = components.unet?.config.inChannels === components.vae?.config.latentChannels
  if (family !== 'sd2' || !components.unet || (components.vae && !isBaseShape)) return 'epsilon'
  const prediction = (await globalStep(file)) === 875_000 ? 'epsilon' : 'v_prediction'
  problems.push(`The file does not say what its UNet predicts: ${prediction} is assumed, as diffusers does for SD 2.x.`)
  return prediction
}

async function globalStep(file: SafetensorsFile): Promise<number | undefined> {
  const entry = file.find('global_step')
  if (entry === undefined || entry.byteLength > 8) return undefined
  return Number((await readWeight(entry)).data[0])
}

/** A JSON object in the metadata. Throws `config.malformed` when it is something else. */
function metadataObject(file: SafetensorsFile, key: string): Readonly<Record<string, unknown>> | undefined {
  const text = file.metadata.get(key)
  if (text === undefined) return undefined
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  const message = `${file.path} has metadata ${key} that is not a JSON object.`
  throw new HalfstepError('config.malformed', message, 'Remove or correct that metadata.', { file: file.path, key })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
