import { labDistance, labOf, type Lab } from './lab.ts'

/** What people mean by a colour's name: typical sRGB levels, 0 … 255. Bright and deep kinds of a colour are listed apart. */
const TYPICAL: readonly (readonly [name: ColourName, red: number, green: number, blue: number])[] = [
  ['red', 200, 35, 45], ['red', 150, 20, 30], ['orange', 235, 130, 40], ['yellow', 245, 210, 60], ['yellow', 225, 195, 20],
  ['green', 45, 140, 70], ['green', 80, 180, 80], ['green', 20, 95, 40], ['teal', 25, 150, 160], ['teal', 40, 180, 185],
  ['blue', 45, 85, 200], ['blue', 90, 150, 230], ['blue', 25, 40, 120], ['purple', 115, 55, 160], ['purple', 75, 25, 110],
  ['pink', 240, 150, 180], ['pink', 220, 70, 140], ['brown', 130, 85, 50], ['grey', 128, 128, 128], ['grey', 80, 80, 84],
  ['grey', 190, 190, 190], ['white', 246, 246, 244], ['black', 25, 25, 30],
]

const SKINS: readonly (readonly [name: SkinName, red: number, green: number, blue: number])[] = [
  ['pale', 245, 215, 190], ['tan', 215, 160, 115], ['brown', 140, 90, 60], ['dark', 75, 48, 36],
]

export type ColourName =
  'red' | 'orange' | 'yellow' | 'green' | 'teal' | 'blue' | 'purple' | 'pink' | 'brown' | 'grey' | 'white' | 'black'
export type SkinName = 'pale' | 'tan' | 'brown' | 'dark'

const COLOURS = inLab(TYPICAL)
const SKIN_COLOURS = inLab(SKINS)

/** The name of the nearest typical colour by ΔE*ab. */
export function colourName(colour: Lab): ColourName {
  return nearest(COLOURS, colour)
}

/** The name of the nearest kind of skin by ΔE*ab; null for what no skin looks like. */
export function skinName(colour: Lab): SkinName | null {
  const name = nearest(SKIN_COLOURS, colour)
  const { lab } = SKIN_COLOURS.find((skin) => skin.name === name)!
  return labDistance(lab, colour) <= FURTHEST_SKIN ? name : null
}

/** ΔE*ab to the nearest kind of skin from which on a colour is none. */
const FURTHEST_SKIN = 22

interface Named<N> {
  readonly name: N
  readonly lab: Lab
}

function inLab<N>(table: readonly (readonly [name: N, red: number, green: number, blue: number])[]): Named<N>[] {
  return table.map(([name, red, green, blue]) => ({ name, lab: labOf([red / 255, green / 255, blue / 255]) }))
}

function nearest<N>(table: readonly Named<N>[], colour: Lab): N {
  return table.reduce((a, b) => (labDistance(b.lab, colour) < labDistance(a.lab, colour) ? b : a)).name
}
