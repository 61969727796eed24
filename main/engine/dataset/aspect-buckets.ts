/** Sizes for pictures of every shape: as few as it takes, all of about the same area, so that little is cropped and cost is alike. */
import type { PictureSize } from '../pictures/picture-file.ts'

export interface BucketRules {
  /** Side of the square whose area every size has about, in pixels; a multiple of `granularity`. */
  readonly resolution: number
  /** What a model's sizes must be multiples of. */
  readonly granularity: number
  /** Longer over shorter side at most; 1 for squares only. */
  readonly largestAspect: number
}

/**
 * The square and, for each shorter side, the longer one that comes nearest to the square's area, lying and standing; widest last.
 * Sides go in steps of the granularity, of several where the resolution is fine enough to do with less than a sixteenth of it:
 * 64 pixels for 512, 768 and 1024.
 */
export function bucketSizes({ resolution, granularity, largestAspect }: BucketRules): PictureSize[] {
  const step = granularity * Math.ceil(resolution / 16 / granularity)
  const sizes: PictureSize[] = [{ width: resolution, height: resolution }]
  for (let short = Math.ceil(resolution / step - 1) * step; short > 0; short -= step) {
    const long = Math.round(resolution ** 2 / short / step) * step
    if (long / short > largestAspect) break
    sizes.push({ width: long, height: short }, { width: short, height: long })
  }
  return sizes.sort((a, b) => a.width / a.height - b.width / b.height)
}

/** Place of the size that least of a picture is cropped for: the nearest aspect ratio, as a factor. The first of equals. */
export function nearestBucket({ width, height }: PictureSize, sizes: readonly PictureSize[]): number {
  const distances = sizes.map((size) => Math.abs(Math.log((width / height) * (size.height / size.width))))
  return distances.indexOf(Math.min(...distances))
}

/** What is to be cut to a size. */
export interface Bucketed<T> {
  readonly size: PictureSize
  readonly pictures: readonly T[]
}

/** Every picture in the bucket of its nearest size; sizes that no picture has are left out. */
export function intoBuckets<T extends PictureSize>(pictures: readonly T[], sizes: readonly PictureSize[]): Bucketed<T>[] {
  const bySize = Map.groupBy(pictures, (picture) => nearestBucket(picture, sizes))
  return sizes.flatMap((size, i) => {
    const nearest = bySize.get(i)
    return nearest === undefined ? [] : [{ size, pictures: nearest }]
  })
}
