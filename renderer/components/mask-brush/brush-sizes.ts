/** Diameters of a brush in a picture's pixels. */
export interface BrushSizes {
  readonly least: number
  readonly most: number
  /** To begin with. */
  readonly usual: number
}

/** Brushes that fit a picture: from a hair to a third of its longer side. */
export function brushSizes({ width, height }: { readonly width: number; readonly height: number }): BrushSizes {
  const longer = Math.max(width, height)
  const least = Math.max(1, Math.round(longer / 256))
  return { least, most: Math.max(least + 1, Math.round(longer / 3)), usual: Math.max(least, Math.round(longer / 12)) }
}

/** The next size up: by an eighth, so that steps look alike at every size. */
export function largerBrush(size: number, { most }: BrushSizes): number {
  return Math.min(most, size + Math.max(1, Math.round(size / 8)))
}

/** The next size down. */
export function smallerBrush(size: number, { least }: BrushSizes): number {
  return Math.max(least, size - Math.max(1, Math.round(size / 9)))
}
