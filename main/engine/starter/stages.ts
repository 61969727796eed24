/** The starter's trainings in the order they need one another. Each is done once: what it made is kept in the progress folder. */
import { join } from 'node:path'
import { writeTokenizer } from '../../../native-models/starter/vocabulary.ts'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { Random } from '../random/random.ts'
import { Drawings, TRAINING_SET } from './drawings.ts'
import type { StageOptions, TrainedStage } from './stage.ts'
import { AUTOENCODER_STAGE, DECODER_STAGE, encodeDrawings, trainAutoencoder, trainDecoder } from './train-autoencoder.ts'
import { CRITIC_STAGE, trainCritic } from './train-critic.ts'
import { DENOISER_STAGE, trainDenoiser } from './train-denoiser.ts'
import { trainedOnce } from './trained-once.ts'

export function trainedAutoencoder(options: StageOptions): Promise<TrainedStage> {
  return trainedOnce(finished(options, 'autoencoder'), AUTOENCODER_STAGE, () => trainAutoencoder(trainingSet(), options))
}

export function trainedDenoiser(autoencoder: TrainedStage, options: StageOptions): Promise<TrainedStage> {
  return trainedOnce(finished(options, 'denoiser'), DENOISER_STAGE, async () => {
    const drawings = trainingSet()
    const latents = await encodeDrawings(autoencoder.weights, drawings)
    const folder = join(options.progressFolder, 'tokenizer')
    await writeTokenizer(folder)
    const tokenizer = await ClipTokenizer.fromFolder(folder)
    const captions = drawings.captions.map((caption) => tokenizer.encode(caption))
    return trainDenoiser({ latents, captions, empty: tokenizer.encode('') }, options)
  })
}

export function trainedDecoder(autoencoder: TrainedStage, options: StageOptions): Promise<TrainedStage> {
  return trainedOnce(finished(options, 'decoder'), DECODER_STAGE, async () => {
    const drawings = trainingSet()
    return trainDecoder(autoencoder.weights, drawings, await encodeDrawings(autoencoder.weights, drawings), options)
  })
}

export function trainedCritic(decoder: TrainedStage, options: StageOptions): Promise<TrainedStage> {
  return trainedOnce(finished(options, 'critic'), CRITIC_STAGE, () => trainCritic(decoder.weights, options))
}

function trainingSet(): Drawings {
  return Drawings.draw(new Random(TRAINING_SET.seed), 0, TRAINING_SET.count)
}

function finished({ progressFolder }: StageOptions, stage: string): string {
  return join(progressFolder, `${stage}-finished.safetensors`)
}
