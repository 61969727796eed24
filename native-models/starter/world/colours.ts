/** sRGB, 0 … 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

export const SKINS = { pale: [246, 214, 188], tan: [214, 160, 116], brown: [140, 88, 56], dark: [74, 46, 34] } as const satisfies Record<
  string,
  Rgb
>

export const COLOURS = {
  red: [200, 40, 48],
  blue: [48, 84, 200],
  green: [44, 140, 72],
  yellow: [244, 208, 64],
  teal: [24, 150, 160],
  purple: [116, 56, 160],
  white: [244, 244, 240],
  black: [28, 28, 34],
} as const satisfies Record<string, Rgb>

export type SkinName = keyof typeof SKINS
export type ColourName = keyof typeof COLOURS

/** Skins on backgrounds that stand out: pale skin on yellow or white, or dark skin on black, would leave the fingers to guess. */
export const COLOUR_PAIRS: readonly (readonly [SkinName, ColourName])[] = [
  ['pale', 'red'], ['pale', 'blue'], ['pale', 'green'], ['pale', 'teal'], ['pale', 'purple'], ['pale', 'black'],
  ['tan', 'blue'], ['tan', 'green'], ['tan', 'teal'], ['tan', 'purple'], ['tan', 'black'],
  ['brown', 'blue'], ['brown', 'yellow'], ['brown', 'teal'], ['brown', 'white'],
  ['dark', 'red'], ['dark', 'blue'], ['dark', 'yellow'], ['dark', 'teal'], ['dark', 'white'],
]

/** What sleeves are made of. */
export const ARM_COLOURS: readonly ColourName[] = ['red', 'blue', 'green', 'yellow', 'white', 'black']
