import { readdir } from 'node:fs/promises'
import { basename, extname, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readJson } from '../../../native-models/weights/json-file.ts'
import { ASSETS } from '../assets.ts'
import { HalfstepError } from '../errors.ts'
import { parseTemplate, type Template } from './template.ts'

const FOLDER = new URL('templates/', ASSETS)

/** The names of the templates that come with the program. */
export async function builtInTemplates(): Promise<string[]> {
  const files = await readdir(FOLDER)
  return files.filter((file) => extname(file) === '.json').map((file) => basename(file, '.json')).toSorted()
}

/**
 * A template by the name of one that comes with the program, or by the path of its file.
 * Throws `template.malformed`, `file.missing`, `file.unreadable` or `config.malformed` (no JSON).
 */
export async function loadTemplate(source: string): Promise<Template> {
  if (isPath(source)) return parseTemplate(await readJson(source), source)
  const names = await builtInTemplates()
  if (!names.includes(source)) {
    const nextStep = `Give the path of a .json file, or one of ${names.join(', ')}.`
    throw new HalfstepError('file.missing', `There is no template named ${source}.`, nextStep, { template: source })
  }
  const path = fileURLToPath(new URL(`${source}.json`, FOLDER))
  return parseTemplate(await readJson(path), path)
}

function isPath(source: string): boolean {
  return extname(source) === '.json' || source.includes('/') || source.includes(sep)
}
