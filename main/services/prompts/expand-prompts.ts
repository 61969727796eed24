/** From prompts with slots and alternatives to plain ones. */

/** A piece of a prompt: texts of which one is taken. */
type Piece = readonly string[]

const BRACES = /\{([^{}]*)\}/g

/**
 * Every prompt that can be made by filling `{slot}` with one of its values and `{one|of|these}` with one of them; a slot without
 * values stays as it is. Where there are more than `limit`, they are taken in even steps from all of them, always the same ones.
 */
export function expandPrompts(
  prompts: readonly string[], slots: Readonly<Record<string, readonly string[]>>, limit: number,
): { readonly prompts: string[]; readonly total: number } {
  const plans = prompts.map((prompt) => piecesOf(prompt, slots))
  const counts = plans.map((pieces) => pieces.reduce((count, piece) => count * piece.length, 1))
  const total = counts.reduce((sum, count) => sum + count, 0)
  const shown = Math.min(limit, total)
  const chosen = Array.from({ length: shown }, (_, i) => Math.floor((i * total) / shown))
  return { total, prompts: chosen.map((index) => promptAt(plans, counts, index)) }
}

function piecesOf(prompt: string, slots: Readonly<Record<string, readonly string[]>>): Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: whole, 1: inside = '', index } of prompt.matchAll(BRACES)) {
    const values = Object.hasOwn(slots, inside) ? (slots[inside] ?? []) : inside.includes('|') ? inside.split('|') : []
    pieces.push([prompt.slice(end, index)], values.length === 0 ? [whole] : values)
    end = index + whole.length
  }
  return [...pieces, [prompt.slice(end)]]
}

/** The prompt at a place among all: the last piece changes fastest. */
function promptAt(plans: readonly Piece[][], counts: readonly number[], index: number): string {
  let rest = index
  let which = 0
  while (rest >= counts[which]!) rest -= counts[which++]!
  return plans[which]!
    .toReversed()
    .map((piece) => {
      const text = piece[rest % piece.length]!
      rest = Math.floor(rest / piece.length)
      return text
    })
    .toReversed()
    .join('')
}
