import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeStarter } from '../../../native-models/starter/write-starter.ts'
import { writeTokenizer } from '../../../native-models/starter/vocabulary.ts'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { Random } from '../random/random.ts'
import { Drawings } from './drawings.ts'
import type { StageOptions } from './stage.ts'
import { AUTOENCODER, DECODER, encodeDrawings, trainAutoencoder, trainDecoder } from './train-autoencoder.ts'
import { CRITIC_TRAINING, criticModel, trainCritic } from './train-critic.ts'
import { DENOISER, DENOISER_REFINEMENT, trainDenoiser, type CaptionedLatents } from './train-denoiser.ts'

/** The drawings that everything is trained on. */
export const TRAINING_SET = { seed: 100, count: 12_000 } as const

/** Pictures that the critic's file takes at once. */
export const CRITIC_BATCH = 16

/** Points of a loss curve that is kept. */
const CURVE_POINTS = 100

/** How each stage is trained. It lies beside the files it made, so that files of other settings than these can be told. */
export const STAGES = {
  autoencoder: AUTOENCODER,
  denoiser: { ...DENOISER, refinement: DENOISER_REFINEMENT },
  decoder: DECODER,
  critic: CRITIC_TRAINING,
} as const

/** What a build left behind, beside the files. */
export interface StarterBuild {
  readonly drawings: typeof TRAINING_SET
  readonly settings: typeof STAGES
  /** The mean loss over each hundredth of a stage's steps. */
  readonly curves: Readonly<Record<string, readonly number[]>>
}

/**
 * Makes the whole starter from nothing: drawings, autoencoder, denoiser with text encoder, decoder, critic; and writes it as a diffusers
 * folder with `critic.onnx` and `training.json`. What was trained before it was cut off is kept in the progress folder and not trained
 * again. On the CPU the same number of threads gives the same bytes.
 */
export async function buildStarter(folder: string, options: StageOptions): Promise<StarterBuild> {
  await mkdir(options.progressFolder, { recursive: true })
  const drawings = Drawings.draw(new Random(TRAINING_SET.seed), 0, TRAINING_SET.count)
  const autoencoder = await trainAutoencoder(drawings, options)
  const latents = await encodeDrawings(autoencoder.weights, drawings, options.threads)
  const denoiser = await trainDenoiser(await captioned(latents, drawings.captions, options.progressFolder), options)
  const decoder = await trainDecoder(autoencoder.weights, drawings, latents, options)
  const critic = await trainCritic(decoder.weights, options)

  await writeStarter(folder, { unet: denoiser.unet, vae: decoder.weights, text_encoder: denoiser.textEncoder })
  await writeFile(join(folder, 'critic.onnx'), criticModel(critic.weights, CRITIC_BATCH))
  const losses = { autoencoder: autoencoder.losses, denoiser: denoiser.losses, decoder: decoder.losses, critic: critic.losses }
  const curves = Object.fromEntries(Object.entries(losses).map(([stage, values]) => [stage, curveOf(values)]))
  const build: StarterBuild = { drawings: TRAINING_SET, settings: STAGES, curves }
  await writeFile(join(folder, 'training.json'), `${JSON.stringify(build)}\n`)
  return build
}

/** The latents with their captions as token ids. */
async function captioned(latents: Float32Array, captions: readonly string[], progressFolder: string): Promise<CaptionedLatents> {
  const folder = join(progressFolder, 'tokenizer')
  await writeTokenizer(folder)
  const tokenizer = await ClipTokenizer.fromFolder(folder)
  return { latents, captions: captions.map((caption) => tokenizer.encode(caption)), empty: tokenizer.encode('') }
}

/** The mean of each stretch of the losses, rounded to what can be read off a plot. */
function curveOf(losses: readonly number[]): number[] {
  const points = Math.min(CURVE_POINTS, losses.length)
  return Array.from({ length: points }, (_, i) => {
    const stretch = losses.slice(Math.floor((i * losses.length) / points), Math.floor(((i + 1) * losses.length) / points))
    return Number((stretch.reduce((a, b) => a + b, 0) / stretch.length).toPrecision(4))
  })
}
