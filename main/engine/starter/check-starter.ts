/** Whether a starter is what it should be before anything is fine-tuned on it: judge, critic, autoencoder and the base's own pictures. */
import { join } from 'node:path'
import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { DRAWING_SIZE } from '../../../native-models/starter/world/draw-hand.ts'
import { CriticReader } from '../evaluation/critic-reader.ts'
import { evaluateStarter, latentSize } from '../evaluation/evaluate-starter.ts'
import { EVALUATION_SEED, heldOutPrompts } from '../evaluation/held-out.ts'
import { judgePictures, type Verdict } from '../judge/judge-picture.ts'
import { PictureCodec } from '../pipeline/picture-codec.ts'
import type { ArmSummary } from '../protocol.ts'
import { Random } from '../random/random.ts'
import { proportion, type Proportion } from '../statistics/proportion.ts'
import { float32, type FloatTensor } from '../tensor/tensor.ts'
import { blurred } from './critic-pictures.ts'
import { Drawings, EQUAL_SHARES } from './drawings.ts'

/** What the figures of the base must be before any fine-tuning is tuned (shares). */
export const GATES = { wellFormed: 0.95, agreement: 0.92, five: [0.35, 0.5] } as const

export interface CheckOptions {
  readonly model: string
  /** Fresh drawings for the judge. */
  readonly drawings: number
  /** Pictures of the base. */
  readonly pictures: number
  readonly sampling: { readonly steps: number; readonly eta: number; readonly guidance: number }
  readonly threads: number
  readonly onProgress?: (doing: string) => void
}

/** How drawings with a known number of fingers are read when something is done to them first. */
export interface Reading {
  readonly pictures: string
  /** By the critic, asked for its most probable class. */
  readonly critic: Proportion
  readonly judge: Proportion
  readonly wellFormed: Proportion
}

export interface Gate {
  readonly name: string
  readonly share: number
  readonly wanted: string
  readonly passed: boolean
}

export interface StarterCheck {
  readonly judge: { readonly counts: Proportion; readonly wellFormed: Proportion }
  readonly readings: readonly Reading[]
  readonly base: ArmSummary
  readonly gates: readonly Gate[]
}

/** A seed that nothing is trained or tuned with. */
const SEED = 4711

/** Drawings for the critic, every number of fingers as often as any other. */
const CRITIC_DRAWINGS = 512

const BATCH = 32

/** Throws as `evaluateStarter` does. */
export async function checkStarter(options: CheckOptions): Promise<StarterCheck> {
  const { model, pictures, sampling, threads, onProgress } = options
  onProgress?.(`Judging ${options.drawings} fresh drawings …`)
  const judge = judgeOnDrawings(options.drawings)
  onProgress?.('Asking the critic …')
  const readings = await readAltered(model, threads)
  const critic = join(model, 'critic.onnx')
  const prompts = await heldOutPrompts()
  const arms = [{ label: 'base', adapters: [] }]
  const { summaries: [base] } = await evaluateStarter(
    { model, critic, arms, prompts, pictures, seed: EVALUATION_SEED, sampling, batch: BATCH, device: 'cpu', threads },
    ({ done }) => onProgress?.(`Drawing and judging: ${done} of ${pictures} pictures …`),
  )
  if (base === undefined) throw new RangeError('nothing was evaluated')
  return { judge, readings, base, gates: gatesOf(base) }
}

/** Drawings as the training set has them, in all styles. */
function judgeOnDrawings(count: number): StarterCheck['judge'] {
  const drawings = Drawings.draw(new Random(SEED), 0, count)
  const verdicts: Verdict[] = []
  for (let first = 0; first < count; first += BATCH) {
    verdicts.push(...judgePictures(drawings.pictures(range(first, Math.min(count, first + BATCH)))))
  }
  return {
    counts: proportion(verdicts.filter(({ fingers }, i) => fingers === drawings.hands[i]?.fingers).length, count),
    wellFormed: proportion(verdicts.filter(({ wellFormed }) => wellFormed).length, count),
  }
}

/** What is done to drawings before they are read. */
type Alteration = (pictures: FloatTensor) => FloatTensor | Promise<FloatTensor>

async function readAltered(model: string, threads: number): Promise<Reading[]> {
  const checkpoint = await openCheckpoint(model)
  const place = { device: 'cpu', threads } as const
  const critic = await CriticReader.open(join(model, 'critic.onnx'), place)
  const codec = new PictureCodec(checkpoint, { ...place, precision: 'float32', ...latentSize(checkpoint), differentiable: false })
  const random = new Random(SEED)
  const noised = (deviation: number): Alteration => (tensor) => {
    const noise = random.normal('sample', [0], tensor.shape).data
    return mapped(tensor, (value, i) => value + deviation * noise[i]!)
  }
  const decoded: Alteration = async (tensor) => codec.decode(await codec.encode(tensor))
  const alterations: Readonly<Record<string, Alteration>> = {
    clean: (tensor) => tensor,
    blurred: (tensor) => float32(tensor.shape, eachPicture(tensor, (picture) => blurred(picture, 0.2))),
    'with noise of 0.05': noised(0.05),
    decoded,
    'decoded, latents with noise of 0.15': async (tensor) => codec.decode(await noised(0.15)(await codec.encode(tensor))),
  }
  try {
    const drawings = Drawings.draw(random, 0, CRITIC_DRAWINGS, EQUAL_SHARES)
    const readings: Reading[] = []
    for (const [pictures, alter] of Object.entries(alterations)) readings.push({ pictures, ...await readAll(drawings, alter, critic) })
    return readings
  } finally {
    await codec.dispose()
    await critic.dispose()
  }
}

async function readAll(drawings: Drawings, alter: Alteration, critic: CriticReader): Promise<Omit<Reading, 'pictures'>> {
  const { count } = drawings
  const right = { critic: 0, judge: 0, wellFormed: 0 }
  for (let first = 0; first < count; first += BATCH) {
    const indices = range(first, Math.min(count, first + BATCH))
    const pictures = mapped(await alter(drawings.pictures(indices)), (value) => Math.min(1, Math.max(0, value)))
    const [readings, verdicts] = [await critic.read(pictures), judgePictures(pictures)]
    for (const [i, index] of indices.entries()) {
      const fingers = drawings.hands[index]!.fingers
      if (readings[i]!.reading === String(fingers)) right.critic++
      if (verdicts[i]!.fingers === fingers) right.judge++
      if (verdicts[i]!.wellFormed) right.wellFormed++
    }
  }
  return {
    critic: proportion(right.critic, count),
    judge: proportion(right.judge, count),
    wellFormed: proportion(right.wellFormed, count),
  }
}

function gatesOf({ wellFormed, agreement, five }: ArmSummary): Gate[] {
  const [least, most] = GATES.five
  return [
    { name: 'well-formed', share: wellFormed.share, wanted: `≥ ${GATES.wellFormed}`, passed: wellFormed.share >= GATES.wellFormed },
    { name: 'critic and judge agree', share: agreement.share, wanted: `≥ ${GATES.agreement}`, passed: agreement.share >= GATES.agreement },
    { name: 'five fingers', share: five.share, wanted: `${least} … ${most}`, passed: five.share >= least && five.share <= most },
  ]
}

const range = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i)

function mapped({ shape, data }: FloatTensor, map: (value: number, index: number) => number): FloatTensor {
  return float32(shape, data.map(map))
}

function eachPicture({ data }: FloatTensor, map: (picture: Float32Array) => Float32Array): Float32Array {
  const pixels = 3 * DRAWING_SIZE ** 2
  const result = new Float32Array(data.length)
  for (let start = 0; start < data.length; start += pixels) result.set(map(data.subarray(start, start + pixels)), start)
  return result
}
