import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { HalfstepError } from '../../engine/errors.ts'
import { Device, EvaluatedArm } from '../../engine/protocol.ts'
import { DemoMode } from './demo-summary.ts'

/** What a demo was begun with; it is continued with the same. */
export const DemoSettings = z.strictObject({
  version: z.literal(1),
  mode: DemoMode,
  /** Absolute path. */
  recipe: z.string(),
  /** Pictures that are judged before and after. */
  pictures: z.int().min(1),
  device: Device,
  threads: z.int().min(1),
})
export type DemoSettings = z.infer<typeof DemoSettings>

/** `before` or `after` training. */
export type Moment = 'before' | 'after'

/** A demo on disk: what is done stays done, so that an interrupted one goes on where it was. */
export class DemoFolder {
  readonly path: string
  readonly settings: DemoSettings

  private constructor(path: string, settings: DemoSettings) {
    this.path = path
    this.settings = settings
  }

  /** Makes a new one. Throws `file.exists` where there is one, and `file.unwritable`. */
  static async begin(path: string, settings: DemoSettings): Promise<DemoFolder> {
    if (existsSync(join(path, SETTINGS))) {
      const nextStep = `Continue it with --resume --out ${path}, or choose another folder with --out.`
      throw new HalfstepError('file.exists', `${path} holds a demo already.`, nextStep, { folder: path })
    }
    await mkdir(path, { recursive: true })
    await writeText(join(path, SETTINGS), json(settings))
    return new DemoFolder(path, settings)
  }

  /** Finds the one there is. Throws `file.missing` where there is none, and `config.malformed`. */
  static async find(path: string): Promise<DemoFolder> {
    const file = join(path, SETTINGS)
    if (!existsSync(file)) {
      const nextStep = 'Name its folder with --out, or begin one without --resume.'
      throw new HalfstepError('file.missing', `${path} holds no demo.`, nextStep, { folder: path })
    }
    const settings = DemoSettings.safeParse(await readJson(file))
    if (settings.success) return new DemoFolder(path, settings.data)
    throw new HalfstepError('config.malformed', `${file} holds no settings of a demo.`, 'Begin a new one in another folder.', { file })
  }

  /** Of the training run. */
  get run(): string {
    return join(this.path, 'run')
  }

  get adapter(): string {
    return join(this.run, 'adapter.safetensors')
  }

  get runHasBegun(): boolean {
    return existsSync(join(this.run, 'recipe.json'))
  }

  get report(): string {
    return join(this.path, 'report.html')
  }

  get summary(): string {
    return join(this.path, 'summary.json')
  }

  /** All pictures of a moment, side by side. */
  sheet(moment: Moment): string {
    return join(this.path, `${moment}.png`)
  }

  /** What was seen at a moment; undefined until then. */
  async evaluated(moment: Moment): Promise<EvaluatedArm | undefined> {
    const text = await readFile(this.#evaluation(moment), 'utf8').catch(() => undefined)
    if (text === undefined || !existsSync(this.sheet(moment))) return undefined
    // Half a file cannot be, since it is put in place whole.
    return EvaluatedArm.parse(JSON.parse(text))
  }

  async keepEvaluated(moment: Moment, arm: EvaluatedArm): Promise<void> {
    await writeText(this.#evaluation(moment), json(arm))
  }

  #evaluation(moment: Moment): string {
    return join(this.path, `${moment}.json`)
  }
}

const SETTINGS = 'demo.json'

export function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

/** Throws `file.unwritable`. */
export function writeText(path: string, text: string): Promise<void> {
  return replaceFile(path, (file) => writeAll(file, new TextEncoder().encode(text)))
}
