import type { Checkpoint } from '../../../native-models/checkpoint/checkpoint.ts'
import { buildClipText } from '../../../native-models/clip-text.ts'
import type { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { tokenizerOf } from '../../../native-models/tokenizer/model-tokenizer.ts'
import { HalfstepError } from '../errors.ts'
import type { Device, Precision } from '../protocol.ts'
import { Session } from '../runtime/session.ts'
import { float32, int64, toFloat32, type FloatTensor } from '../tensor/tensor.ts'
import type { AppliedAdapters } from './applied-adapters.ts'
import { requireComponent } from './require-component.ts'

/** What a UNet is told about a text. */
export interface TextCondition {
  /** [1, tokens, width] */
  readonly context: FloatTensor
  /** [1, width'], SDXL only. */
  readonly pooled?: FloatTensor
}

type EncoderName = 'textEncoder' | 'textEncoder2'
type Output = 'last_hidden_state' | 'penultimate' | 'text_embeds'

interface EncoderUse {
  readonly encoder: EncoderName
  readonly outputs: readonly Output[]
}

/** The encoders of each family and what is taken from them: SDXL reads the states before the last layer of both. */
const ENCODERS: Readonly<Record<Checkpoint['family'], readonly EncoderUse[]>> = {
  sd1: [{ encoder: 'textEncoder', outputs: ['last_hidden_state'] }],
  // Its encoder is stored without the last layer, so that the state before it is the last one here.
  sd2: [{ encoder: 'textEncoder', outputs: ['last_hidden_state'] }],
  sdxl: [
    { encoder: 'textEncoder', outputs: ['penultimate'] },
    { encoder: 'textEncoder2', outputs: ['penultimate', 'text_embeds'] },
  ],
}

export interface PromptEncoderOptions {
  readonly device: Device
  readonly threads?: number
  readonly precision: Precision
  readonly adapters: AppliedAdapters
}

/** The text encoders of a checkpoint. They are in memory only while new texts are encoded; results are kept. */
export class PromptEncoder {
  /** Prompts that were cut, one sentence each. */
  readonly notes: string[] = []
  readonly #checkpoint: Checkpoint
  readonly #options: PromptEncoderOptions
  readonly #known = new Map<string, TextCondition>()

  constructor(checkpoint: Checkpoint, options: PromptEncoderOptions) {
    this.#checkpoint = checkpoint
    this.#options = options
  }

  /** The condition of each text. Throws `model.missing-component` and `tokenizer.malformed`. */
  async encode(texts: readonly string[]): Promise<TextCondition[]> {
    const fresh = [...new Set(texts)].filter((text) => !this.#known.has(text))
    if (fresh.length > 0) {
      const parts: Partial<Record<Output, FloatTensor>>[][] = []
      for (const { encoder, outputs } of ENCODERS[this.#checkpoint.family]) parts.push(await this.#run(encoder, outputs, fresh))
      fresh.forEach((text, i) => this.#known.set(text, conditionOf(parts.map((part) => part[i] ?? {}))))
    }
    return texts.flatMap((text) => this.#known.get(text) ?? [])
  }

  /** One encoder's outputs for each text. */
  async #run(encoder: EncoderName, outputs: readonly Output[], texts: readonly string[]): Promise<Partial<Record<Output, FloatTensor>>[]> {
    const { config, weights } = requireComponent(this.#checkpoint, encoder)
    const { device, threads, precision, adapters } = this.#options
    const tokenizer = await tokenizerOf(this.#checkpoint, encoder)
    const ids = texts.map((text) => this.#tokenize(tokenizer, text, config.vocabSize))
    const textLength = tokenizer.modelMaxLength
    const model = buildClipText(config, weights, { batch: 1, textLength, compute: precision, adapters: adapters.slots(encoder) })
    const feeds = adapters.feeds(encoder, model.adapterTargets)
    const session = await Session.create(model.graph, { device, ...(threads === undefined ? {} : { threads }) })
    try {
      const results: Partial<Record<Output, FloatTensor>>[] = []
      for (const row of ids) {
        const run = await session.run({ input_ids: int64([1, textLength], row), ...feeds }, outputs)
        results.push(Object.fromEntries(Object.entries(run).map(([name, tensor]) => [name, toFloat32(tensor)])))
      }
      return results
    } finally {
      await session.dispose()
    }
  }

  #tokenize(tokenizer: ClipTokenizer, text: string, vocabSize: number): number[] {
    const ids = tokenizer.encode(text)
    if (ids.some((id) => id >= vocabSize)) {
      const message = `The text encoder of ${this.#checkpoint.path} knows ${vocabSize} tokens, fewer than its tokenizer makes.`
      throw new HalfstepError('tokenizer.malformed', message, 'Put the tokenizer that belongs to this model beside it.')
    }
    const words = tokenizer.tokenIds(text)
    const room = tokenizer.modelMaxLength - 2
    const lost = tokenizer.decode(words.slice(room))
    const note = `A prompt has ${words.length} tokens, and the model reads the first ${room}; lost is "${lost}".`
    if (words.length > room && !this.notes.includes(note)) this.notes.push(note)
    return ids
  }
}

/** The parts of all encoders side by side. */
function conditionOf(parts: readonly Partial<Record<Output, FloatTensor>>[]): TextCondition {
  const states = parts.flatMap(({ last_hidden_state: last, penultimate }) => last ?? penultimate ?? [])
  const pooled = parts.find(({ text_embeds: embeds }) => embeds !== undefined)?.text_embeds
  return { context: sideBySide(states), ...(pooled === undefined ? {} : { pooled }) }
}

/** [1, n, a] and [1, n, b] as [1, n, a + b]. */
function sideBySide(states: readonly FloatTensor[]): FloatTensor {
  const [first] = states
  if (first !== undefined && states.length === 1) return first
  const length = first?.shape[1] ?? 0
  const rows = Array.from({ length }, (_, row) =>
    states.flatMap(({ data, shape: [, , width = 0] }) => Array.from(data.subarray(row * width, (row + 1) * width))))
  return float32([1, length, rows[0]?.length ?? 0], rows.flat())
}
