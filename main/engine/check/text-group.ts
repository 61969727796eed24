import { buildClipText, type ClipTextModel } from '../../../native-models/clip-text.ts'
import { tokenizerOf } from '../../../native-models/tokenizer/model-tokenizer.ts'
import { HalfstepError } from '../errors.ts'
import { Session } from '../runtime/session.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'
import { soundComponent, type CheckContext } from './check-context.ts'
import { SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'

/** text.*: the text encoder on given ids, and `text.uncond` on the empty prompt. */
export async function checkText(context: CheckContext): Promise<CheckLine[]> {
  const { checkpoint, cases, settings } = context
  const key = checkpoint.components.textEncoder === undefined ? 'textEncoder2' : 'textEncoder'
  const { config, weights } = await soundComponent(context, key)
  const ids = await cases.tensor('text.input_ids')
  const [batch = 1, textLength = config.maxPositions] = ids.shape
  const build = (size: number): ClipTextModel => buildClipText(config, weights, { ...settings, batch: size, textLength })
  const pooled = config.withProjection ? 'text_embeds' : 'pooled'
  const lines: CheckLine[] = []

  const given = [
    ['text.last_hidden_state', 'last_hidden_state'],
    ['text.pooled', pooled],
    ['text.penultimate', 'penultimate'],
  ].filter(([name]) => name !== undefined && cases.has(name) && context.wants(name))
  if (given.length > 0) {
    const results = await runOnce(build(batch), { input_ids: ids }, settings)
    for (const [name = '', output = ''] of given) {
      const ours = results[output]
      if (ours !== undefined) lines.push(compareOutput(name, ours, await cases.floats(name), SINGLE_TOLERANCE[settings.compute]))
    }
  }

  if (cases.has('text.uncond') && context.wants('text.uncond')) {
    const reference = await cases.floats('text.uncond')
    const rows = reference.shape[0] ?? 1
    const empty = await emptyPrompt(context, key, config.vocabSize, Array.from(ids.data, Number).slice(0, textLength))
    const { last_hidden_state: ours } = await runOnce(
      build(rows),
      { input_ids: int64([rows, textLength], repeat(empty.slice(0, textLength), rows)) },
      settings,
    )
    if (ours !== undefined) lines.push(compareOutput('text.uncond', ours, reference, SINGLE_TOLERANCE[settings.compute]))
  }
  return lines
}

async function runOnce(
  model: ClipTextModel,
  feeds: Record<string, Tensor>,
  settings: CheckContext['settings'],
): Promise<Record<string, Tensor>> {
  const session = await Session.create(model.graph, settings)
  try {
    return await session.run(feeds)
  } finally {
    await session.dispose()
  }
}

/**
 * The ids of the empty prompt by the model's tokenizer. A single file brings none; where its vocabulary is not the standard one
 * either, the special tokens are read off a prompt of the cases: start comes first, end has the largest id, padding comes last.
 */
async function emptyPrompt(
  { checkpoint }: CheckContext,
  key: 'textEncoder' | 'textEncoder2',
  vocabSize: number,
  prompt: readonly number[],
): Promise<number[]> {
  const ids = (await tokenizerOf(checkpoint, key)).encode('')
  if (ids.every((id) => id < vocabSize)) return ids
  const brought = key === 'textEncoder' ? checkpoint.tokenizerFolder : checkpoint.tokenizer2Folder
  if (brought === undefined) return [prompt[0] ?? 0, Math.max(...prompt), ...new Array<number>(prompt.length).fill(prompt.at(-1) ?? 0)]
  const message = `The text encoder of ${checkpoint.path} knows ${vocabSize} tokens, fewer than its tokenizer makes.`
  throw new HalfstepError('tokenizer.malformed', message, 'Put the tokenizer that belongs to this model beside it.')
}

function repeat(row: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => row).flat()
}
