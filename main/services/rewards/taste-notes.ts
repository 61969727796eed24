import type { TasteAccuracy } from '../../engine/protocol.ts'

/** What is known of a taste, to be kept with its reward: how far it can be trusted, and what it looks at. */
export function tasteNotes(choices: number, { share, low, high, trials }: TasteAccuracy, byClip: boolean): string {
  const sees = byClip ? 'It looks at pictures through a CLIP model.' : 'It looks at colours, contrast and simple shapes.'
  const learned = `Learned from ${choices} choices.`
  if (trials === 0) {
    return `${learned} How well it knows your taste could not be measured: the same few pictures came again and again. ${sees}`
  }
  const foretells = `It foretells ${percent(share)} of choices between pictures it has not seen (${percent(low)} to ${percent(high)})`
  const verdict = low > 0.5 ? '.' : ', which may be no better than guessing.'
  return `${learned} ${foretells}${verdict} ${sees}`
}

const percent = (share: number): string => `${Math.round(100 * share)} %`
