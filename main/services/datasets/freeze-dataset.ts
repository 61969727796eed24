import { createHash } from 'node:crypto'
import { copyFile, link, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { HalfstepError } from '../../engine/errors.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readImages, type DatasetImage } from '../../store/dataset-images.ts'
import { insertVersion, readVersions, type DatasetVersion } from '../../store/datasets.ts'
import { exists, unwritable } from '../content-files.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'

/**
 * A dataset as it is now, as a folder of pictures and caption files that will never change, so that a run on it can be continued
 * and repeated. What is the same as an earlier version is that version. Pictures are links to those of the library where the disk
 * can, so that a version costs next to nothing.
 * Throws `recipe.impossible` for an empty dataset and `file.unwritable`.
 */
export async function freezeDataset(database: LibraryDatabase, pictures: PictureLibrary, datasetId: string): Promise<DatasetVersion> {
  const images = readImages(database, datasetId)
  if (images.length === 0) {
    throw new HalfstepError('recipe.impossible', 'The dataset holds no pictures.', 'Add pictures to it.', { key: 'dataset.folder' })
  }
  const content = contentOf(images)
  const versions = readVersions(database, datasetId)
  const known = versions.find((version) => version.content === content)
  if (known !== undefined && (await exists(pictures.path(known.folder)))) return known
  const version = known?.version ?? (versions.at(-1)?.version ?? 0) + 1
  const folder = `datasets/${datasetId}/${version}`
  await writeFolder(images, pictures, pictures.path(folder))
  const frozen = known ?? { version, content, folder, images: images.length, madeAt: new Date().toISOString() }
  if (known === undefined) insertVersion(database, datasetId, frozen)
  return frozen
}

/** SHA-256 over what training would see. */
function contentOf(images: readonly DatasetImage[]): string {
  const hash = createHash('sha256')
  const inOrder = images.toSorted((a, b) => (a.picture < b.picture ? -1 : 1))
  for (const { picture, caption } of inOrder) hash.update(JSON.stringify([picture, caption]))
  return hash.digest('hex')
}

/** Written beside its place and then renamed, so that a version is complete or not there. */
async function writeFolder(images: readonly DatasetImage[], pictures: PictureLibrary, folder: string): Promise<void> {
  const temporary = `${folder}.tmp`
  try {
    await rm(temporary, { recursive: true, force: true })
    await mkdir(temporary, { recursive: true })
    for (const { picture, file, caption } of images) {
      const target = join(temporary, `${picture}${extname(file)}`)
      await link(pictures.path(file), target).catch(() => copyFile(pictures.path(file), target))
      await writeFile(join(temporary, `${picture}.txt`), `${caption}\n`)
    }
    await rename(temporary, folder)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined)
    throw unwritable(folder, error)
  }
}
