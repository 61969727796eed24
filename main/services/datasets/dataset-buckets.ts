import type { LibraryDatabase } from '../../store/database.ts'
import { readImages, type DatasetImage } from '../../store/dataset-images.ts'
import type { Engine } from '../engine.ts'
import { imageView, type ImageView } from './dataset-views.ts'

export interface BucketRules {
  /** Side of the square whose area all sizes have about, in pixels. */
  readonly resolution: number
  /** What sizes are multiples of: 64 for Stable Diffusion. */
  readonly granularity: number
  /** Longer over shorter side at most; 1 for squares only. */
  readonly largestAspect: number
}

/** A size that pictures are cut to. */
export interface Bucket {
  readonly width: number
  readonly height: number
  readonly images: number
  /** Pictures that are smaller than the size, and so are enlarged. */
  readonly enlarged: number
  /** Mean share of the pictures' areas that is cut away. */
  readonly cropped: number
  readonly examples: ImageView[]
}

const MOST_EXAMPLES = 12

/** How training would cut a dataset's images: the sizes that any image has, with what is lost in each. Throws `recipe.impossible`. */
export async function bucketsOf(database: LibraryDatabase, engine: Engine, datasetId: string, rules: BucketRules): Promise<Bucket[]> {
  const images = readImages(database, datasetId)
  const sizes = images.map(({ width, height }) => ({ width, height }))
  const plan = await engine.run('desk', 'dataset.buckets', { pictures: sizes, ...rules })
  return plan.sizes.flatMap((size, place) => {
    const members = images.filter((_, i) => plan.places[i] === place)
    if (members.length === 0) return []
    return [{
      ...size,
      images: members.length,
      enlarged: members.filter(({ width, height }) => width < size.width || height < size.height).length,
      cropped: members.reduce((sum, image) => sum + croppedShare(image, size), 0) / members.length,
      examples: members.slice(0, MOST_EXAMPLES).map(imageView),
    }]
  })
}

/** What is outside after scaling a picture until it covers the size: 1 − min(a, b) / max(a, b) for aspect ratios a and b. */
function croppedShare(image: Pick<DatasetImage, 'width' | 'height'>, size: { readonly width: number; readonly height: number }): number {
  const [a, b] = [image.width / image.height, size.width / size.height]
  return 1 - Math.min(a, b) / Math.max(a, b)
}
