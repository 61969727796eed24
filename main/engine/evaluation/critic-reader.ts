import { CRITIC_CLASSES } from '../../../native-models/starter/critic.ts'
import { HalfstepError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { openOnnx } from '../graph/onnx/open-onnx.ts'
import { portion, starts } from '../rewards/portions.ts'
import { Session, type SessionOptions } from '../runtime/session.ts'
import { sameShape } from '../tensor/shape.ts'
import { toFloat32, type FloatTensor } from '../tensor/tensor.ts'

/** What the critic says of a picture. */
export interface Reading {
  /** Its probability of five fingers. */
  readonly score: number
  /** Its most probable class. */
  readonly reading: string
}

/** The starter's critic, for looking only. */
export class CriticReader {
  readonly #session: Session
  readonly #batch: number

  private constructor(session: Session, batch: number) {
    this.#session = session
    this.#batch = batch
  }

  /** Throws `file.*` and `onnx.*`, and `recipe.impossible` for a model that is no critic of the starter. */
  static async open(file: string, options: SessionOptions): Promise<CriticReader> {
    const graph = await openOnnx(file)
    return new CriticReader(await Session.create(graph, options), criticBatch(graph, file))
  }

  /** @param pictures [b, 3, 64, 64] in [0, 1] */
  async read(pictures: FloatTensor): Promise<Reading[]> {
    const [count = 0] = pictures.shape
    const readings: Reading[] = []
    for (const start of starts(count, this.#batch)) {
      const part = portion(pictures, start, this.#batch)
      const { score, probabilities } = await this.#session.run({ pictures: part }, ['score', 'probabilities'])
      const [scores, classes] = [toFloat32(score!).data, toFloat32(probabilities!).data]
      for (let i = 0; i < Math.min(this.#batch, count - start); i++) {
        const row = classes.subarray(i * CRITIC_CLASSES.length, (i + 1) * CRITIC_CLASSES.length)
        readings.push({ score: scores[i]!, reading: CRITIC_CLASSES[row.indexOf(Math.max(...row))]! })
      }
    }
    return readings
  }

  async dispose(): Promise<void> {
    await this.#session.dispose()
  }
}

/** How many pictures it takes at once. */
function criticBatch({ inputs, outputs }: Graph, file: string): number {
  const [batch = 0] = inputs.find(({ name }) => name === 'pictures')?.shape ?? []
  const fits = sameShape(outputs.get('score')?.shape ?? [], [batch])
    && sameShape(outputs.get('probabilities')?.shape ?? [], [batch, CRITIC_CLASSES.length])
  if (batch > 0 && fits) return batch
  const message = `${file} is no critic of the starter: it does not give score and probabilities for pictures.`
  throw new HalfstepError('recipe.impossible', message, 'Give the critic.onnx that comes with the starter.', { file })
}
