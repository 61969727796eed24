import type { EvaluatedArm, JudgedPicture } from '../../../main/engine/protocol.ts'

const PALE = 'a hand, pale skin, red background'
export const PROMPTS = [PALE, 'a hand, tan skin, blue background', PALE, 'a hand']
const SEEN = [['red', 'pale'], ['blue', 'tan'], ['red', 'pale'], ['green', 'dark']] as const

/** Pictures with these outcomes, in the colours of their prompts, read as the judge judges them; `others` are what differs. */
export function arm(label: string, outcomes: readonly string[], others: readonly Partial<JudgedPicture>[] = []): EvaluatedArm {
  const pictures = outcomes.map((outcome, i): JudgedPicture => {
    const prompt = i % PROMPTS.length
    const [background, skin] = SEEN[prompt]!
    const reading = /^\d$/.test(outcome) ? outcome : 'unclear'
    return { prompt, seed: 1000 + i, outcome, background, skin, score: outcome === '5' ? 0.9 : 0.1, reading, ...others[i] }
  })
  return { label, pictures, diversity: PROMPTS.map((_, i) => 10 + i), seconds: 1 }
}
