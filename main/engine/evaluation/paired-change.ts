import { HalfstepError } from '../errors.ts'
import type { EvaluatedArm, JudgedPicture, PairedChange } from '../protocol.ts'
import { mcnemarExact } from '../statistics/mcnemar.ts'
import { meanOf } from './mean.ts'
import { agrees, colourGroups, hasColour, isFive, isWellFormed } from './summarise-arm.ts'

/** A picture by two models. */
interface Pair {
  readonly before: JudgedPicture
  readonly after: JudgedPicture
}

/**
 * What changed from one arm to the other, picture by picture: differences between noises and prompts fall out, so that few pictures
 * tell much. Throws `internal` for arms that were not drawn from the same prompts and seeds.
 */
export function pairedChange(before: EvaluatedArm, after: EvaluatedArm, prompts: readonly string[]): PairedChange {
  const pairs = pairsOf(before, after)
  return {
    five: flips(pairs, isFive),
    wellFormed: flips(pairs, isWellFormed),
    background: flips(pairs, (picture) => hasColour('background', picture, prompts) ?? false),
    skin: flips(pairs, (picture) => hasColour('skin', picture, prompts) ?? false),
    agreement: flips(pairs, agrees),
    colours: colourGroups(before.pictures, prompts).map(({ of, word, members }) => {
      const group = new Set(members)
      const asked = pairs.filter((pair) => group.has(pair.before))
      return { of, word, flips: flips(asked, (picture) => hasColour(of, picture, prompts) ?? false) }
    }),
    score: meanOf(pairs.map((pair) => pair.after.score - pair.before.score)),
    diversity: meanOf(after.diversity.map((value, i) => value - (before.diversity[i] ?? NaN))),
    unseen: meanOf(pairs.map((pair) => pair.after.score - pair.before.score - (Number(isFive(pair.after)) - Number(isFive(pair.before))))),
    transitions: transitionsOf(pairs),
  }
}

function pairsOf(before: EvaluatedArm, after: EvaluatedArm): Pair[] {
  const pairs = before.pictures.flatMap((picture, i) => ({ before: picture, after: after.pictures[i] ?? picture }))
  const same = before.pictures.length === after.pictures.length
    && pairs.every((pair) => pair.before.seed === pair.after.seed && pair.before.prompt === pair.after.prompt)
  if (same) return pairs
  throw new HalfstepError('internal', `${before.label} and ${after.label} were not drawn from the same prompts and noises.`)
}

/** McNemar's exact test of what holds of pictures. */
function flips(pairs: readonly Pair[], holds: (picture: JudgedPicture) => boolean): { gained: number; lost: number; p: number } {
  const gained = pairs.filter(({ before, after }) => !holds(before) && holds(after)).length
  const lost = pairs.filter(({ before, after }) => holds(before) && !holds(after)).length
  return { gained, lost, p: mcnemarExact(gained, lost) }
}

function transitionsOf(pairs: readonly Pair[]): PairedChange['transitions'] {
  const groups = Map.groupBy(pairs, ({ before, after }) => `${before.outcome}→${after.outcome}`)
  return [...groups.values()].map((members) => {
    const [{ before, after }] = members as [Pair, ...Pair[]]
    return { from: before.outcome, to: after.outcome, count: members.length }
  })
}
