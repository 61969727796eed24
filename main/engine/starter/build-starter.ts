import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeStarter } from '../../../native-models/starter/write-starter.ts'
import { trainDecoderAndCritic } from './decoder-process.ts'
import { TRAINING_SET } from './drawings.ts'
import type { StageOptions } from './stage.ts'
import { trainedAutoencoder, trainedCritic, trainedDecoder, trainedDenoiser } from './stages.ts'
import { together } from './together.ts'
import { AUTOENCODER, DECODER } from './train-autoencoder.ts'
import { CRITIC_TRAINING, criticModel } from './train-critic.ts'
import { DENOISER, denoiserParts } from './train-denoiser.ts'

/** Pictures that the critic's file takes at once. */
export const CRITIC_BATCH = 16

/** Points of a loss curve that is kept. */
const CURVE_POINTS = 100

/** How each stage is trained. It lies beside the files it made, so that files of other settings than these can be told. */
export const STAGES = { autoencoder: AUTOENCODER, denoiser: DENOISER, decoder: DECODER, critic: CRITIC_TRAINING } as const

/** What a build left behind, beside the files. */
export interface StarterBuild {
  readonly drawings: typeof TRAINING_SET
  readonly settings: typeof STAGES
  /** The mean loss over each hundredth of a stage's steps. */
  readonly curves: Readonly<Record<string, readonly number[]>>
}

/**
 * Makes the whole starter from nothing: drawings, autoencoder, then denoiser with text encoder and, in a process beside it, decoder
 * and critic; and writes it as a diffusers folder with `critic.onnx` and `training.json`. What was trained before it was cut off is
 * kept in the progress folder and not trained again. Every stage has its own number of threads, so that any number of cores gives
 * the same bytes.
 */
export async function buildStarter(folder: string, options: StageOptions): Promise<StarterBuild> {
  await mkdir(options.progressFolder, { recursive: true })
  const autoencoder = await trainedAutoencoder(options)
  await together(options.signal, [
    (signal) => trainDecoderAndCritic({ ...options, signal }),
    async (signal) => void (await trainedDenoiser(autoencoder, { ...options, signal })),
  ])
  // Each is read from where its training left it.
  const denoiser = await trainedDenoiser(autoencoder, options)
  const decoder = await trainedDecoder(autoencoder, options)
  const critic = await trainedCritic(decoder, options)

  const { unet, textEncoder } = denoiserParts(denoiser.weights)
  await writeStarter(folder, { unet, vae: decoder.weights, text_encoder: textEncoder })
  await writeFile(join(folder, 'critic.onnx'), criticModel(critic.weights, CRITIC_BATCH))
  const trained = { autoencoder, denoiser, decoder, critic }
  const curves = Object.fromEntries(Object.entries(trained).map(([stage, { losses }]) => [stage, curveOf(losses)]))
  const build: StarterBuild = { drawings: TRAINING_SET, settings: STAGES, curves }
  await writeFile(join(folder, 'training.json'), `${JSON.stringify(build)}\n`)
  return build
}

/** The mean of each stretch of the losses, rounded to what can be read off a plot. */
function curveOf(losses: readonly number[]): number[] {
  const points = Math.min(CURVE_POINTS, losses.length)
  return Array.from({ length: points }, (_, i) => {
    const stretch = losses.slice(Math.floor((i * losses.length) / points), Math.floor(((i + 1) * losses.length) / points))
    return Number((stretch.reduce((a, b) => a + b, 0) / stretch.length).toPrecision(4))
  })
}
