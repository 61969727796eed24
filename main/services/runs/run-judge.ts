import { join } from 'node:path'
import type { EngineJobs } from '../../engine/protocol.ts'
import type { LibraryDatabase } from '../../store/database.ts'
import { readModel } from '../../store/models.ts'
import { readRunPictures } from '../../store/run-pictures.ts'
import { readRun } from '../../store/runs.ts'
import type { Engine } from '../engine.ts'
import { required } from '../not-found.ts'

/** What the judge sees in the pictures of a moment. */
export interface JudgedMoment {
  readonly update: number
  readonly pictures: number
  /** Well-formed hands with five fingers. */
  readonly fiveFingers: number
  readonly wellFormed: number
}

type Verdict = EngineJobs['pictures.judge']['result'][number]

/**
 * Has the pictures along runs of the starter judged: a figure that the reward cannot flatter. Pictures never change, so each is
 * judged once.
 */
export class RunJudge {
  readonly #database: LibraryDatabase
  readonly #engine: Engine
  readonly #libraryFolder: string
  readonly #known = new Map<string, Verdict>()

  constructor(database: LibraryDatabase, engine: Engine, libraryFolder: string) {
    this.#database = database
    this.#engine = engine
    this.#libraryFolder = libraryFolder
  }

  /** In the order of updates; none for a run of another model, whose pictures the judge knows nothing of. Throws `library.missing`. */
  async judge(id: string): Promise<JudgedMoment[]> {
    const { modelId } = required(readRun(this.#database, id), 'run')
    const model = modelId === null ? undefined : readModel(this.#database, modelId)
    if (model?.builtIn !== true) return []
    const pictures = readRunPictures(this.#database, id)
    await this.#look(pictures.map(({ file }) => file).filter((file) => !this.#known.has(file)))
    const moments = Map.groupBy(pictures, ({ update }) => update)
    return [...moments].map(([update, those]) => {
      const verdicts = those.flatMap(({ file }) => this.#known.get(file) ?? [])
      const wellFormed = verdicts.filter((verdict) => verdict.wellFormed)
      const fiveFingers = wellFormed.filter(({ fingers }) => fingers === 5).length
      return { update, pictures: verdicts.length, fiveFingers, wellFormed: wellFormed.length }
    })
  }

  async #look(files: readonly string[]): Promise<void> {
    if (files.length === 0) return
    const pictures = files.map((file) => join(this.#libraryFolder, ...file.split('/')))
    const verdicts = await this.#engine.run('desk', 'pictures.judge', { pictures })
    verdicts.forEach((verdict, place) => this.#known.set(files[place]!, verdict))
  }
}
