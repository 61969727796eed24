import type { SamplingChain } from '../diffusion/sampler.ts'
import { judgePictures, type Verdict } from '../judge/judge-picture.ts'
import { pairwiseDistance } from '../judge/pairwise-distance.ts'
import { joined, samplesOf } from '../pipeline/samples.ts'
import type { StableDiffusion } from '../pipeline/stable-diffusion.ts'
import type { EvaluatedArm, JudgedPicture } from '../protocol.ts'
import type { Parameters } from '../rlr/denoiser.ts'
import type { FloatTensor } from '../tensor/tensor.ts'
import type { CriticReader, Reading } from './critic-reader.ts'
import { drawPictures, type PlannedPicture } from './draw-pictures.ts'
import { ILL_FORMED, NO_HAND } from './summarise-arm.ts'

/** Who draws what, and who reads it. */
export interface Drawing {
  readonly pipeline: StableDiffusion
  readonly chain: SamplingChain
  /** Of the pipeline's trained adapter. */
  readonly theta: Parameters
  readonly critic: CriticReader
  readonly pictures: readonly (PlannedPicture & { readonly prompt: number })[]
}

export interface JudgedDrawings extends Omit<EvaluatedArm, 'label'> {
  /** [n, 3, 64, 64] in [0, 1] */
  readonly drawn: FloatTensor
}

/** Draws pictures and has judge and critic look at each. Throws as `drawPictures` and `judgePictures` do. */
export async function judgeDrawings(
  { pipeline, chain, theta, critic, pictures: planned }: Drawing,
  onDone: (done: number) => void = () => undefined,
): Promise<JudgedDrawings> {
  const started = performance.now()
  const batches: FloatTensor[] = []
  const pictures: JudgedPicture[] = []
  for await (const drawn of drawPictures(pipeline, chain, planned, theta)) {
    const verdicts = judgePictures(drawn)
    const readings = await critic.read(drawn)
    verdicts.forEach((verdict, i) => {
      const { prompt, seed } = planned[pictures.length]!
      pictures.push({ prompt, seed, ...seen(verdict), ...readings[i]! satisfies Reading })
    })
    batches.push(drawn)
    onDone(pictures.length)
  }
  const drawn = joined(batches)
  return { drawn, pictures, diversity: diversityOf(drawn, pictures), seconds: (performance.now() - started) / 1000 }
}

function seen({ fingers, wellFormed, isHand, background, skinName }: Verdict): Pick<JudgedPicture, 'outcome' | 'background' | 'skin'> {
  const outcome = wellFormed ? String(fingers) : isHand ? ILL_FORMED : NO_HAND
  return { outcome, background, skin: skinName }
}

/** How different the pictures of each prompt are from one another; prompts with a single picture say nothing. */
function diversityOf(drawn: FloatTensor, pictures: readonly JudgedPicture[]): number[] {
  const samples = samplesOf(drawn)
  const groups = Map.groupBy(samples, (_, i) => pictures[i]?.prompt)
  return [...groups.values()].filter((members) => members.length > 1).map((members) => pairwiseDistance(joined(members)))
}
