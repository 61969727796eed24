import type { WeightSource } from '../weights/weight-source.ts'
import type { ClipTextConfig } from './clip-text-config.ts'
import type { ClipVisionConfig } from './clip-vision-config.ts'
import type { PredictionType, SchedulerConfig } from './scheduler-config.ts'
import type { UnetConfig } from './unet-config.ts'
import type { VaeConfig } from './vae-config.ts'

/** sd1: Stable Diffusion 1.x, sd2: 2.x, sdxl: XL base and refiner. */
export type Family = 'sd1' | 'sd2' | 'sdxl'

/** One network: what it looks like and where its weights lie, under the names diffusers and transformers give them. */
export interface Component<Config> {
  readonly config: Config
  readonly weights: WeightSource
}

/** The networks a checkpoint holds; any may be absent. */
export interface Components {
  readonly unet?: Component<UnetConfig>
  /** Names begin with `text_model.`; the projection, where there is one, is `text_projection.weight` [out, in]. */
  readonly textEncoder?: Component<ClipTextConfig>
  /** The second text encoder of SDXL, named likewise. */
  readonly textEncoder2?: Component<ClipTextConfig>
  readonly vae?: Component<VaeConfig>
  /** Names begin with `vision_model.`; the projection is `visual_projection.weight`. */
  readonly imageEncoder?: Component<ClipVisionConfig>
}

/** A model as found on disk: typed, checked, nothing loaded yet. */
export interface Checkpoint {
  /** Absolute path of the folder or file. */
  readonly path: string
  readonly layout: 'diffusers' | 'single-file'
  readonly family: Family
  readonly predictionType: PredictionType
  readonly components: Components
  readonly scheduler?: SchedulerConfig
  /** Folders with vocab.json and merges.txt (or tokenizer.json); absent: the standard CLIP tokenizer. */
  readonly tokenizerFolder?: string
  readonly tokenizer2Folder?: string
  /** Assumptions made and oddities found, one plain sentence each. */
  readonly problems: readonly string[]
}

/** The latent scale of SDXL's autoencoder; SD 1.x and 2.x use 0.18215. */
export const SDXL_SCALING_FACTOR = 0.13025

/**
 * The family, from structure alone: SDXL's UNet is conditioned on sizes and pooled text; SD 2's text encoder is an
 * OpenCLIP one (exact gelu), and its UNet projects with linear layers. Without a UNet the other parts decide.
 */
export function familyOf({ unet, textEncoder, textEncoder2, vae }: Components): Family {
  if (unet?.config.addition !== undefined) return 'sdxl'
  if (unet === undefined && (textEncoder2 !== undefined || vae?.config.scalingFactor === SDXL_SCALING_FACTOR)) return 'sdxl'
  if (textEncoder !== undefined) return textEncoder.config.hiddenAct === 'gelu' ? 'sd2' : 'sd1'
  return unet?.config.useLinearProjection === true ? 'sd2' : 'sd1'
}
