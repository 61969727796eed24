import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeStarter } from '../../../native-models/starter/write-starter.ts'
import { writeTokenizer } from '../../../native-models/starter/vocabulary.ts'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { Random } from '../random/random.ts'
import { Drawings } from './drawings.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import type { StageOptions } from './stage.ts'
import { AUTOENCODER, DECODER, encodeDrawings, trainAutoencoder, trainDecoder } from './train-autoencoder.ts'
import { CRITIC_TRAINING, criticModel, trainCritic } from './train-critic.ts'
import {
  DENOISER, DENOISER_FINISH, DENOISER_REFINEMENT, finishDenoiser, trainDenoiser, type CaptionedLatents, type TrainedDenoiser,
} from './train-denoiser.ts'

/** The drawings that everything is trained on. */
export const TRAINING_SET = { seed: 100, count: 12_000 } as const

/**
 * The drawings that the denoiser is finished on. Fewer of them have five fingers, since by then the model draws five more often than
 * it was shown: in 50 to 52 % of its pictures, of 44 % in its training set.
 */
export const FINISHING_SET = { seed: 106, count: 12_000, shares: { 3: 0.02, 4: 0.05, 5: 0.37, 6: 0.53, 7: 0.03 } } as const

/** Pictures that the critic's file takes at once. */
export const CRITIC_BATCH = 16

/** Points of a loss curve that is kept. */
const CURVE_POINTS = 100

/** How each stage is trained. It lies beside the files it made, so that files of other settings than these can be told. */
export const STAGES = {
  autoencoder: AUTOENCODER,
  denoiser: { ...DENOISER, refinement: DENOISER_REFINEMENT },
  finish: { ...DENOISER_FINISH, drawings: FINISHING_SET },
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
  const finished = await finish(denoiser, autoencoder.weights, options)
  const decoder = await trainDecoder(autoencoder.weights, drawings, latents, options)
  const critic = await trainCritic(decoder.weights, options)

  await writeStarter(folder, { unet: finished.unet, vae: decoder.weights, text_encoder: finished.textEncoder })
  await writeFile(join(folder, 'critic.onnx'), criticModel(critic.weights, CRITIC_BATCH))
  const trained = { autoencoder, denoiser, finish: finished, decoder, critic }
  const losses = Object.fromEntries(Object.entries(trained).map(([stage, { losses }]) => [stage, losses]))
  const curves = Object.fromEntries(Object.entries(losses).map(([stage, values]) => [stage, curveOf(values)]))
  const build: StarterBuild = { drawings: TRAINING_SET, settings: STAGES, curves }
  await writeFile(join(folder, 'training.json'), `${JSON.stringify(build)}\n`)
  return build
}

/**
 * The denoiser's last training. It begins with the weights as files have them, in float16, so that it can be made again from the
 * files alone.
 */
export async function finish(
  { unet, textEncoder }: Omit<TrainedDenoiser, 'losses'>,
  autoencoder: ReadonlyMap<string, FloatTensor>,
  options: StageOptions,
): Promise<TrainedDenoiser> {
  const { seed, count, shares } = FINISHING_SET
  const drawings = Drawings.draw(new Random(seed), 0, count, shares)
  const latents = await encodeDrawings(asInFile(autoencoder), drawings, options.threads)
  const data = await captioned(latents, drawings.captions, options.progressFolder)
  return finishDenoiser({ unet: asInFile(unet), textEncoder: asInFile(textEncoder) }, data, options)
}

function asInFile(weights: ReadonlyMap<string, FloatTensor>): ReadonlyMap<string, FloatTensor> {
  return new Map([...weights].map(([name, { shape, data }]) => [name, float32(shape, Float32Array.from(Float16Array.from(data)))]))
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
