import type { ArmSummary, EvaluatedArm, JudgedPicture } from '../protocol.ts'
import { proportion, type Proportion } from '../statistics/proportion.ts'
import { meanOf } from './mean.ts'
import { coloursOf } from './prompt-colours.ts'

/** What the aim is: a well-formed hand with five fingers. */
export const isFive = ({ outcome }: JudgedPicture): boolean => outcome === '5'

export const isWellFormed = ({ outcome }: JudgedPicture): boolean => /^\d+$/.test(outcome)

/** Whether critic and judge answer alike what the reward asks: whether there are five fingers. */
export const agrees = (picture: JudgedPicture): boolean => (picture.reading === '5') === isFive(picture)

/** Whether a picture has the colour its prompt asks for; undefined where the prompt asks for none. */
export function hasColour(of: 'background' | 'skin', picture: JudgedPicture, prompts: readonly string[]): boolean | undefined {
  const asked = coloursOf(prompts[picture.prompt] ?? '')[of]
  return asked === null ? undefined : picture[of] === asked
}

/** Sums up what judge and critic saw. @param prompts that pictures are of, by index */
export function summariseArm({ label, pictures, diversity }: EvaluatedArm, prompts: readonly string[]): ArmSummary {
  const wellFormed = pictures.filter(isWellFormed)
  return {
    label,
    pictures: pictures.length,
    outcomes: tally(pictures.map(({ outcome }) => outcome)),
    five: share(pictures, isFive),
    wellFormed: share(pictures, isWellFormed),
    noHand: share(pictures, ({ outcome }) => outcome === NO_HAND),
    background: colourShare('background', pictures, prompts),
    skin: colourShare('skin', pictures, prompts),
    colours: colourGroups(pictures, prompts).map(({ of, word, members }) => ({ of, word, right: colourShare(of, members, prompts) })),
    score: meanOf(pictures.map(({ score }) => score)),
    agreement: share(pictures, agrees),
    countAgreement: share(wellFormed, ({ reading, outcome }) => reading === outcome),
    diversity: meanOf(diversity),
  }
}

/** Outcomes besides numbers of fingers. */
export const ILL_FORMED = 'ill-formed'
export const NO_HAND = 'no hand'

export interface ColourGroup {
  readonly of: 'background' | 'skin'
  readonly word: string
  readonly members: readonly JudgedPicture[]
}

/** Pictures by each colour that their prompts ask for. */
export function colourGroups(pictures: readonly JudgedPicture[], prompts: readonly string[]): ColourGroup[] {
  return (['background', 'skin'] as const).flatMap((of) => {
    const groups = Map.groupBy(pictures, ({ prompt }) => coloursOf(prompts[prompt] ?? '')[of])
    const named = [...groups].flatMap(([word, members]) => (word === null ? [] : { of, word, members }))
    return named.toSorted((a, b) => (a.word < b.word ? -1 : 1))
  })
}

function colourShare(of: 'background' | 'skin', pictures: readonly JudgedPicture[], prompts: readonly string[]): Proportion {
  const right = pictures.map((picture) => hasColour(of, picture, prompts)).filter((has) => has !== undefined)
  return proportion(right.filter(Boolean).length, right.length)
}

function share(pictures: readonly JudgedPicture[], holds: (picture: JudgedPicture) => boolean): Proportion {
  return proportion(pictures.filter(holds).length, pictures.length)
}

function tally(keys: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(keys, (key) => key)].map(([key, members]) => [key, members.length]))
}
