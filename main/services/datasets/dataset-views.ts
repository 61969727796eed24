import type { DatasetImage } from '../../store/dataset-images.ts'
import type { StoredDataset } from '../../store/datasets.ts'
import { libraryUrl } from '../library-files.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'

/** A dataset as pages see it. */
export interface DatasetView extends Omit<StoredDataset, 'cover'> {
  readonly cover: string | null
}

/** An image of a dataset as pages see it. */
export interface ImageView extends Omit<DatasetImage, 'picture' | 'file' | 'perceptualHash'> {
  readonly url: string
  readonly thumbnail: string
}

export function datasetView({ cover, ...dataset }: StoredDataset): DatasetView {
  return { ...dataset, cover: cover === null ? null : libraryUrl(thumbnailFile(cover)) }
}

export function imageView({ id, name, caption, width, height, picture, file }: DatasetImage): ImageView {
  return { id, name, caption, width, height, url: libraryUrl(file), thumbnail: libraryUrl(thumbnailFile(picture)) }
}
