/** From a request to a run that can be trained: its recipe completed and written down, or found in the folder again. */
import { readFile, stat } from 'node:fs/promises'
import os from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { wordsForDiskFault } from '../disk-fault.ts'
import { HalfstepError } from '../errors.ts'
import { loadTemplate } from '../templates/load-template.ts'
import { fingerprint } from './file-fingerprint.ts'
import { completeDenoisingRecipe, denoisingFingerprints } from './complete-denoising-recipe.ts'
import { parseRecipe, parseTrainingRecipe, recipeFingerprint, type Recipe, type TrainingRecipe } from './recipe.ts'
import { RunFolder } from './run-folder.ts'
import { nodeFileSystem, type FileSystem } from './file-system.ts'
import { claimRun, refuseOtherWriter } from './run-writer.ts'

export interface RunRequest {
  readonly folder: string
  /** JSON; what the folder holds when left out. */
  readonly recipe?: unknown
  /** Relative paths of the recipe begin here; the working folder by default. */
  readonly recipeFolder?: string
}

export interface OpenRun {
  readonly folder: RunFolder
  readonly recipe: TrainingRecipe
  /** Of the recipe as the folder has it, so that defaults which later versions add disown no checkpoint. */
  readonly fingerprint: string
  /**
   * Makes this process the run's only writer, and writes the recipe into the folder when the run is new: to be called once
   * everything it needs was opened. Gives the way to let others write. Throws `run.in-use` and `file.*`.
   */
  begin(): Promise<() => Promise<void>>
}

/**
 * Finds the run in a folder, or prepares a new one. Throws `recipe.*` for an unusable recipe or for another one than the folder's,
 * `file.missing` where there is neither a run nor a recipe, and `run.in-use` when another process writes to the folder.
 */
export async function openRun(request: RunRequest, files: FileSystem = nodeFileSystem): Promise<OpenRun> {
  const { recipe: raw, recipeFolder = '.' } = request
  const folder = new RunFolder(resolve(request.folder), files)
  await refuseOtherWriter(folder.path, files)
  const given = raw === undefined ? undefined : await completed(parseTrainingRecipe(raw, 'The recipe'), recipeFolder)
  const stored = await storedRecipe(folder)
  if (stored === undefined) {
    if (given === undefined) {
      const message = `${folder.path} holds no training run.`
      throw new HalfstepError('file.missing', message, 'Give a recipe to begin one there.', { folder: folder.path })
    }
    return { folder, recipe: given, fingerprint: recipeFingerprint(given), begin: () => beginNew(folder, given) }
  }
  const recipe = parseTrainingRecipe(stored, folder.recipeFile)
  if (given !== undefined) refuseAnother(folder, recipe, given)
  await refuseChangedFiles(recipe)
  return { folder, recipe, fingerprint: recipeFingerprint(stored), begin: () => claimRun(folder.path, files) }
}

/** Another process may have begun a run there since the folder was looked at. */
async function beginNew(folder: RunFolder, recipe: TrainingRecipe): Promise<() => Promise<void>> {
  await folder.makeFolders()
  const release = await claimRun(folder.path, folder.files)
  try {
    if ((await storedRecipe(folder)) !== undefined) throw holdsAnother(folder)
    await folder.create(recipe)
    return release
  } catch (error) {
    await release()
    throw error
  }
}

/** As it is written there. */
async function storedRecipe(folder: RunFolder): Promise<unknown> {
  const exists = await stat(folder.recipeFile).then(() => true, () => false)
  return exists ? readJson(folder.recipeFile) : undefined
}

function completed(recipe: TrainingRecipe, folder: string): Promise<TrainingRecipe> {
  return recipe.trainer === 'rlr' ? completeRecipe(recipe, folder) : completeDenoisingRecipe(recipe, folder)
}

/** The recipe with nothing left that could change before the run is continued: absolute paths, texts instead of files, a date. */
export async function completeRecipe(recipe: Recipe, folder: string): Promise<Recipe> {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path))
  const { prompts, template, adapter, reward } = recipe
  const paths = withPaths({ model: recipe.model, reward, ...(adapter.start === undefined ? {} : { start: adapter.start }) }, absolute)
  const fingerprints: Record<string, string> = {}
  for (const path of pathsIn(paths)) fingerprints[path] = await fingerprint(path)
  const completed = {
    ...recipe,
    model: paths.model,
    reward: paths.reward,
    adapter: { ...adapter, alpha: adapter.alpha ?? adapter.rank, ...(paths.start === undefined ? {} : { start: paths.start }) },
    date: recipe.date ?? new Date().toISOString(),
    prompts: Array.isArray(prompts) ? prompts : await linesOf(absolute(prompts.file)),
    ...(template === undefined ? {} : { template: { ...template, use: await inlined(template.use, absolute) } }),
    threads: recipe.threads ?? os.availableParallelism(),
    fingerprints,
  }
  return parseRecipe(JSON.parse(JSON.stringify(completed)), 'The recipe')
}

interface Paths {
  readonly model: string
  readonly reward: Recipe['reward']
  readonly start?: string
}

/** Every path absolute: those of the reward are its keys `path`, `head` and `pictures`. */
function withPaths({ model, reward, start }: Paths, absolute: (path: string) => string): Paths {
  const part = <T extends object>(spec: T): T => {
    const changed = Object.entries(spec).map(([key, value]: [string, unknown]): [string, unknown] => {
      if ((key === 'path' || key === 'head') && typeof value === 'string') return [key, absolute(value)]
      if (key === 'pictures' && Array.isArray(value)) return [key, value.map((path) => absolute(String(path)))]
      return [key, value]
    })
    return Object.fromEntries(changed) as T
  }
  return {
    model: absolute(model),
    reward: reward.kind === 'mixture' ? { ...reward, parts: reward.parts.map(part) } : part(reward),
    ...(start === undefined ? {} : { start: absolute(start) }),
  }
}

function pathsIn({ model, reward, start }: Paths): string[] {
  const parts = reward.kind === 'mixture' ? reward.parts : [reward]
  const ofRewards = parts.flatMap((part) => [
    ...('path' in part ? [part.path] : []),
    ...('head' in part && part.head !== undefined ? [part.head] : []),
    ...('pictures' in part ? part.pictures : []),
  ])
  return [...new Set([model, ...(start === undefined ? [] : [start]), ...ofRewards])]
}

/** One prompt per line; empty lines and those that begin with # are left out. */
async function linesOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    const message = `The prompts in ${path} cannot be read: ${wordsForDiskFault(error)}.`
    throw new HalfstepError('file.unreadable', message, 'Correct prompts.file.', { file: path, key: 'prompts.file' })
  })
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.length > 0) return lines
  const details = { file: path, key: 'prompts.file' }
  throw new HalfstepError('recipe.impossible', `${path} holds no prompts.`, 'Write one prompt per line.', details)
}

type Use = NonNullable<Recipe['template']>['use']

/** A template by value. Names of built-in ones are no paths. */
async function inlined(use: Use, absolute: (path: string) => string): Promise<Use> {
  if (typeof use !== 'string') return use
  return { ...(await loadTemplate(/[/\\]|\.json$/.test(use) ? absolute(use) : use)) }
}

function refuseAnother(folder: RunFolder, stored: TrainingRecipe, given: TrainingRecipe): void {
  const essence = ({ date: _date, threads: _threads, fingerprints: _fingerprints, ...recipe }: TrainingRecipe): TrainingRecipe =>
    ({ ...recipe, fingerprints: {} })
  if (recipeFingerprint(essence(stored)) === recipeFingerprint(essence(given))) return
  throw holdsAnother(folder)
}

function holdsAnother({ path }: RunFolder): HalfstepError {
  const nextStep = 'Choose another folder for this recipe, or continue that run without giving one.'
  return new HalfstepError('recipe.impossible', `${path} holds the run of another recipe.`, nextStep, { folder: path })
}

/** A run goes on only with the very files it began with. */
async function refuseChangedFiles(recipe: TrainingRecipe): Promise<void> {
  const now = recipe.trainer === 'denoising' ? await denoisingFingerprints(recipe) : {}
  for (const [path, known] of Object.entries(recipe.fingerprints)) {
    if ((now[path] ?? (await fingerprint(path))) === known) continue
    throw new HalfstepError(
      'recipe.impossible',
      `${path} is no longer what it was when the run began.`,
      'Put the earlier version back, or begin a new run in another folder.',
      { file: path },
    )
  }
}
