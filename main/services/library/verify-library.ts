import { join, parse } from 'node:path'
import { readAllAdapterFiles } from '../../store/adapters.ts'
import { checkDatabase } from '../../store/check-database.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readAllDatasetIds } from '../../store/datasets.ts'
import { readPictures } from '../../store/pictures.ts'
import { readAllRuns } from '../../store/runs.ts'
import { exists, sha256OfFile } from '../content-files.ts'
import { thumbnailFile } from '../pictures/picture-library.ts'
import type { Task } from '../tasks.ts'
import type { Finding } from './findings.ts'
import { isLeftover, LIBRARY_FOLDERS, namesIn, TASTES } from './library-listing.ts'

/**
 * Looks whether database and files agree: SQLite's own checks, every picture and adapter read and compared with its name, and
 * whatever no row knows. Changes nothing. Throws `cancelled` and `file.unreadable`.
 */
export async function verifyLibrary(database: LibraryDatabase, folder: string, task: Task): Promise<Finding[]> {
  const findings: Finding[] = checkDatabase(database).map((message) => ({ kind: 'database', file: '', message }))
  // What a damaged database says of files is worth nothing.
  if (findings.length > 0) return findings
  findings.push(...(await checkContents(database, folder, task)))
  findings.push(...(await checkRuns(database, folder)))
  findings.push(...(await findStrays(database, folder)))
  return findings
}

/** Every file whose name promises its content. */
async function checkContents(database: LibraryDatabase, folder: string, task: Task): Promise<Finding[]> {
  const pictures = readPictures(database)
  const tastes = (await namesIn(folder, TASTES)).filter((name) => !isLeftover(name))
  const files = [...pictures, ...readAllAdapterFiles(database), ...tastes.map(contentOf)]
  const findings: Finding[] = []
  for (const [done, { file, sha256 }] of files.entries()) {
    task.check()
    task.progress(done, files.length, file)
    const path = join(folder, ...file.split('/'))
    if (!(await exists(path))) findings.push({ kind: 'missing', file, message: `${file} is gone.` })
    else if ((await sha256OfFile(path)) !== sha256) {
      findings.push({ kind: 'damaged', file, message: `${file} is not what it was when it was kept.` })
    }
  }
  for (const { sha256 } of pictures) {
    const file = thumbnailFile(sha256)
    if (!(await exists(join(folder, ...file.split('/'))))) findings.push({ kind: 'thumbnail', file, message: `${file} is gone.` })
  }
  return findings
}

/** @param name in the folder of tastes */
function contentOf(name: string): { readonly file: string; readonly sha256: string } {
  return { file: `${TASTES}/${name}`, sha256: parse(name).name }
}

/** A run that has made an update has a recipe in its folder, without which it cannot go on. */
async function checkRuns(database: LibraryDatabase, folder: string): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const run of readAllRuns(database)) {
    const file = `${run.folder}/recipe.json`
    if (run.update === 0 || (await exists(join(folder, ...file.split('/'))))) continue
    findings.push({ kind: 'missing', file, message: `The folder of the run ${run.name} is gone or incomplete.` })
  }
  return findings
}

async function findStrays(database: LibraryDatabase, folder: string): Promise<Finding[]> {
  const known = new Set([
    ...readPictures(database).flatMap(({ file, sha256 }) => [file, thumbnailFile(sha256)]),
    ...readAllAdapterFiles(database).map(({ file }) => file),
    ...readAllRuns(database).map((run) => run.folder),
    ...readAllDatasetIds(database).map((id) => `datasets/${id}`),
  ])
  const findings: Finding[] = []
  for (const theme of LIBRARY_FOLDERS) {
    for (const name of await namesIn(folder, theme)) {
      const file = `${theme}/${name}`
      if (isLeftover(name)) findings.push({ kind: 'leftover', file, message: `${file} was left behind by a crash.` })
      else if (!known.has(file)) findings.push({ kind: 'stray', file, message: `The library does not know ${file}.` })
    }
  }
  for (const name of (await namesIn(folder, TASTES)).filter(isLeftover)) {
    findings.push({ kind: 'leftover', file: `${TASTES}/${name}`, message: `${TASTES}/${name} was left behind by a crash.` })
  }
  for (const name of await namesIn(folder, 'incoming')) {
    findings.push({ kind: 'leftover', file: `incoming/${name}`, message: `incoming/${name} was left behind by a crash.` })
  }
  return findings
}
