/** A dataset's rows from the versions of it that were kept. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { writeCaptions, type NewCaption } from '../../store/captions.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { insertImage } from '../../store/dataset-images.ts'
import { insertDataset } from '../../store/datasets.ts'
import { readCaptionBeside } from '../datasets/caption-files.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'
import { namesIn } from './library-listing.ts'

/** Adds the dataset whose versions lie in `datasets/<id>`, as its latest one was. False when there is none. */
export async function recoverDataset(
  database: LibraryDatabase, pictures: PictureLibrary, libraryFolder: string, id: string,
): Promise<boolean> {
  const versions = (await namesIn(libraryFolder, `datasets/${id}`)).map(Number).filter((version) => Number.isInteger(version))
  if (versions.length === 0) return false
  const folder = `datasets/${id}/${Math.max(...versions)}`
  const names = (await namesIn(libraryFolder, folder)).filter((name) => !name.endsWith('.txt'))
  insertDataset(database, id, 'Recovered dataset', new Date().toISOString())
  const captions: NewCaption[] = []
  for (const name of names) {
    const path = join(libraryFolder, ...folder.split('/'))
    // What cannot be read is left out: the rest is what there is.
    const taken = await pictures.take(join(path, name)).catch(() => undefined)
    const image = taken && insertImage(database, id, taken.sha256, name)
    const caption = image === undefined ? undefined : await readCaptionBeside(path, name).catch(() => undefined)
    if (image !== undefined && caption !== undefined) captions.push({ image, caption })
  }
  writeCaptions(database, randomUUID(), captions)
  return true
}
