import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HalfstepError, toErrorValue } from '../../engine/errors.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import type { AdapterService } from '../adapters/adapters.ts'
import { isPictureUsed, readPicture } from '../../store/pictures.ts'
import { readRun } from '../../store/runs.ts'
import { exists, sha256OfFile, unwritable } from '../content-files.ts'
import type { PictureLibrary } from '../pictures/picture-library.ts'
import type { Task } from '../tasks.ts'
import type { Finding } from './findings.ts'
import { recoverDataset } from './recover-dataset.ts'
import { recoverPicture } from './recover-picture.ts'
import { recoverRun } from './recover-run.ts'
import { verifyLibrary } from './verify-library.ts'

export interface RepairParts {
  readonly database: LibraryDatabase
  readonly pictures: PictureLibrary
  readonly adapters: AdapterService
  readonly libraryFolder: string
}

/** What was found and what became of it. */
export interface RepairReport {
  readonly repaired: { readonly file: string; readonly message: string }[]
  /** What nobody can bring back. */
  readonly left: Finding[]
}

/** What says most about the others comes first: datasets know their pictures, and runs their adapters. */
const ORDER = ['datasets/', 'runs/', 'pictures/', 'adapters/'] as const

/**
 * Brings database and files together again: makes rows for files that none knows, thumbnails for pictures that lack them, puts
 * damaged files aside into `damaged/` and removes what crashes left. Nothing that could be of use is deleted.
 */
export async function repairLibrary(parts: RepairParts, task: Task): Promise<RepairReport> {
  const findings = await verifyLibrary(parts.database, parts.libraryFolder, task)
  const inOrder = findings.toSorted((a, b) => rankOf(a) - rankOf(b))
  const report: RepairReport = { repaired: [], left: [] }
  for (const [done, finding] of inOrder.entries()) {
    task.check()
    task.progress(done, inOrder.length, finding.file)
    const message = await mend(parts, finding, task).catch((error: unknown) => {
      const { code, message: cause } = toErrorValue(error)
      if (code === 'cancelled' || code === 'file.unwritable') throw error
      report.left.push({ ...finding, message: `${finding.message} ${cause}` })
      return null
    })
    if (message === undefined) report.left.push(finding)
    else if (message !== null) report.repaired.push({ file: finding.file, message })
  }
  return report
}

function rankOf({ file }: Finding): number {
  const rank = ORDER.findIndex((theme) => file.startsWith(theme))
  return rank < 0 ? ORDER.length : rank
}

/** What was done, in a sentence; undefined when nothing can be. */
async function mend(parts: RepairParts, { kind, file }: Finding, task: Task): Promise<string | undefined> {
  switch (kind) {
    case 'stray':
      return recover(parts, file, task)
    case 'damaged':
      await putAside(parts.libraryFolder, file)
      return `${file} was put aside into the folder damaged.`
    case 'leftover':
      await rm(pathOf(parts, file), { recursive: true, force: true })
      return `${file} was removed.`
    case 'thumbnail':
      return (await remakeThumbnail(parts, basename(file, '.webp'))) ? `${file} was made again.` : undefined
    case 'database':
    case 'missing':
      return undefined
  }
}

async function recover(parts: RepairParts, file: string, task: Task): Promise<string | undefined> {
  const { database, pictures, adapters, libraryFolder } = parts
  const name = basename(file)
  if (file.startsWith('pictures/')) {
    await refuseOtherContent(parts, file)
    const bytes = await readFile(pathOf(parts, file))
    const picture = await pictures.takeBytes(bytes, name)
    if (!isPictureUsed(database, picture.sha256)) await recoverPicture(database, picture, bytes)
    return `${file} is in the library again.`
  }
  if (file.startsWith('adapters/')) {
    await refuseOtherContent(parts, file)
    const adapter = await adapters.import(pathOf(parts, file), task)
    if (adapter.name === basename(name, '.safetensors')) adapters.change(adapter.id, { name: adapter.summary.title ?? 'Recovered adapter' })
    return `${file} is in the library again.`
  }
  if (file.startsWith('runs/')) {
    if (!(await recoverRun(database, libraryFolder, name))) return undefined
    await takeAdapterOf(parts, name)
    return `The run ${name} is in the library again.`
  }
  if (file.startsWith('datasets/')) {
    return (await recoverDataset(database, pictures, libraryFolder, name)) ? `The dataset ${name} is in the library again.` : undefined
  }
  if (readPicture(database, basename(name, '.webp')) !== undefined) return `The picture of ${file} is in the library again.`
  // A thumbnail whose picture is gone is missed by nobody.
  await rm(pathOf(parts, file), { recursive: true, force: true })
  return `${file} was removed.`
}

/** What a recovered run has made. */
async function takeAdapterOf({ database, adapters, libraryFolder }: RepairParts, id: string): Promise<void> {
  const run = readRun(database, id)
  const file = join(libraryFolder, 'runs', id, 'adapter.safetensors')
  if (run?.state === 'finished' && (await exists(file))) await adapters.takeFromRun(run, file)
}

/** A file that is not what its name says would be kept under a lie. */
async function refuseOtherContent(parts: RepairParts, file: string): Promise<void> {
  const sha256 = await sha256OfFile(pathOf(parts, file))
  if (basename(file).startsWith(`${sha256}.`)) return
  throw new HalfstepError('library.damaged', 'It is not what its name says.', 'Look at it, and import it yourself if it is of use.')
}

async function remakeThumbnail({ pictures, libraryFolder }: RepairParts, sha256: string): Promise<boolean> {
  for (const ending of ['png', 'jpg', 'webp']) {
    const bytes = await readFile(join(libraryFolder, 'pictures', `${sha256}.${ending}`)).catch(() => undefined)
    if (bytes === undefined) continue
    await pictures.takeBytes(bytes, sha256)
    return true
  }
  return false
}

async function putAside(libraryFolder: string, file: string): Promise<void> {
  const target = join(libraryFolder, 'damaged', `${Date.now()}-${basename(file)}`)
  try {
    await mkdir(dirname(target), { recursive: true })
    await rename(join(libraryFolder, ...file.split('/')), target)
  } catch (error) {
    throw unwritable(target, error)
  }
}

function pathOf({ libraryFolder }: RepairParts, file: string): string {
  return join(libraryFolder, ...file.split('/'))
}
