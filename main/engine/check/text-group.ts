import { buildClipText, type ClipTextModel } from '../../../native-models/clip-text.ts'
import { ClipTokenizer } from '../../../native-models/tokenizer/clip-tokenizer.ts'
import { HalfstepError } from '../errors.ts'
import { Session } from '../runtime/session.ts'
import { int64, type Tensor } from '../tensor/tensor.ts'
import { requireComponent, type CheckContext } from './check-context.ts'
import { SINGLE_TOLERANCE, compareOutput, type CheckLine } from './report.ts'

/** text.*: the text encoder on given ids, and `text.uncond` on the empty prompt. */
export async function checkText(context: CheckContext): Promise<CheckLine[]> {
  const { checkpoint, cases, settings } = context
  const key = checkpoint.components.textEncoder === undefined ? 'textEncoder2' : 'textEncoder'
  const { config, weights } = await requireComponent(context, key)
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
      if (ours !== undefined) lines.push(compareOutput(name, ours, await cases.floats(name), SINGLE_TOLERANCE))
    }
  }

  if (cases.has('text.uncond') && context.wants('text.uncond')) {
    const reference = await cases.floats('text.uncond')
    const rows = reference.shape[0] ?? 1
    const empty = await emptyPrompt(context, key, config.vocabSize)
    const { last_hidden_state: ours } = await runOnce(
      build(rows),
      { input_ids: int64([rows, textLength], repeat(empty.slice(0, textLength), rows)) },
      settings,
    )
    if (ours !== undefined) lines.push(compareOutput('text.uncond', ours, reference, SINGLE_TOLERANCE))
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

async function emptyPrompt({ checkpoint }: CheckContext, key: 'textEncoder' | 'textEncoder2', vocabSize: number): Promise<number[]> {
  const folder = key === 'textEncoder' ? checkpoint.tokenizerFolder : checkpoint.tokenizer2Folder
  const padsWithZero = checkpoint.family === 'sd2' || key === 'textEncoder2'
  const tokenizer =
    folder === undefined ? await ClipTokenizer.standard(padsWithZero ? { padToken: '!' } : {}) : await ClipTokenizer.fromFolder(folder)
  const ids = tokenizer.encode('')
  if (ids.some((id) => id >= vocabSize)) {
    const message = `The text encoder of ${checkpoint.path} knows ${vocabSize} tokens, fewer than its tokenizer makes.`
    throw new HalfstepError('tokenizer.malformed', message, 'Put the tokenizer that belongs to this model beside it.')
  }
  return ids
}

function repeat(row: readonly number[], count: number): number[] {
  return Array.from({ length: count }, () => row).flat()
}
