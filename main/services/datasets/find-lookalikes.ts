import { setImmediate as nextTurn } from 'node:timers/promises'

/** The two halves of a perceptual hash, so that bits are counted without big integers. */
interface Halves {
  readonly high: number
  readonly low: number
}

/** Comparisons between two turns of the event loop, so that pages stay answered. */
const COMPARISONS_PER_TURN = 200_000

/**
 * Groups of pictures that look alike: each is within `distance` differing bits of another of its group.
 * @param hashes 16 hexadecimal digits each @returns places, groups of at least two, in order
 */
export async function findLookalikes(
  hashes: readonly string[], distance: number, onProgress: (done: number) => void = () => undefined,
): Promise<number[][]> {
  const halves = hashes.map(halvesOf)
  const leader = hashes.map((_, i) => i)
  const find = (place: number): number => {
    let at = place
    while (leader[at] !== at) at = leader[at] = leader[leader[at]!]!
    return at
  }
  let compared = 0
  for (let i = 0; i < halves.length; i++) {
    for (let j = i + 1; j < halves.length; j++) {
      if (differingBits(halves[i]!, halves[j]!) <= distance) leader[find(j)] = find(i)
    }
    compared += halves.length - i
    if (compared < COMPARISONS_PER_TURN) continue
    compared = 0
    onProgress(i)
    await nextTurn()
  }
  const groups = Map.groupBy(leader.keys(), find)
  return [...groups.values()].filter((group) => group.length > 1)
}

function halvesOf(hash: string): Halves {
  return { high: Number.parseInt(hash.slice(0, 8), 16), low: Number.parseInt(hash.slice(8), 16) }
}

function differingBits(a: Halves, b: Halves): number {
  return bitCount(a.high ^ b.high) + bitCount(a.low ^ b.low)
}

/** Bits that are 1 in a 32-bit number (Warren, "Hacker's Delight", 5-1). */
function bitCount(number: number): number {
  let x = number - ((number >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
