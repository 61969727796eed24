/**
 * `npm run notices`: writes THIRD-PARTY-NOTICES.txt, the licences of everything by others that a package of Halfstep holds: what runs in
 * the app's processes, what is bundled into its pages (fonts and icons included), and Electron.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

const ROOT = join(import.meta.dirname, '..')
export const NOTICES = join(ROOT, 'THIRD-PARTY-NOTICES.txt')

const Package = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string().optional(),
  homepage: z.string().optional(),
  repository: z.union([z.string(), z.object({ url: z.string() })]).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
})
type Package = z.infer<typeof Package>

/** Written once for all systems: sharp's programs for each of them come from one repository. */
const LIBVIPS = `libvips and the libraries it is built with (LGPL-3.0-or-later and others), as packed in @img/sharp-libvips-*
The sources, the licences of each library and the way to replace them: https://github.com/lovell/sharp-libvips
`
const ELECTRON = `Electron (MIT) and Chromium
Their licences are in LICENSE.electron.txt and LICENSES.chromium.html beside the program.
`

/** The whole file, as it should be for the packages that are installed. */
export function notices(): string {
  const packages = [...production(), ...bundledIntoPages()]
  const unique = new Map(packages.map((found) => [`${found.name}@${found.version}`, found]))
  const sorted = [...unique.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const parts = sorted.map(([title, found]) => [title, found.license ?? '', addressOf(found), licenseText(found.folder)])
  const head = 'Halfstep contains work by others, under the licences below.\n'
  return [head, ELECTRON, LIBVIPS, ...parts.map((lines) => lines.filter(Boolean).join('\n'))].join(`\n${'─'.repeat(80)}\n`)
}

interface Installed extends Package {
  readonly folder: string
}

function read(folder: string): Installed {
  return { ...Package.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))), folder }
}

/** What is installed with the app: all dependencies but those for one system only, and the launcher's Node. */
function production(): Installed[] {
  const own = Package.parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  return closure(Object.keys(own.dependencies))
}

/** Packages that the pages import, and what those depend on: Vite puts them into the bundle. */
function bundledIntoPages(): Installed[] {
  const files = readdirSync(join(ROOT, 'renderer'), { recursive: true, encoding: 'utf8' })
  const texts = files.filter((name) => /\.(ts|svelte|css|html)$/.test(name))
  const sources = texts.map((name) => readFileSync(join(ROOT, 'renderer', name), 'utf8')).join('\n')
  const specifiers = [...sources.matchAll(/(?:from|import|@import)\s+['"]((?:@[\w-]+\/)?[\w-]+)[/'"]/g)].map(([, name]) => name ?? '')
  return closure([...new Set(specifiers)].filter((name) => existsSync(join(ROOT, 'node_modules', name))))
}

/** Packages with everything they depend on. */
function closure(names: readonly string[]): Installed[] {
  const found = new Map<string, Installed>()
  const visit = (name: string, from: string): void => {
    const folder = [join(from, 'node_modules', name), join(ROOT, 'node_modules', name)].find((candidate) => existsSync(candidate))
    if (folder === undefined || found.has(folder)) return
    const installed = read(folder)
    found.set(folder, installed)
    for (const dependency of Object.keys(installed.dependencies)) visit(dependency, folder)
  }
  for (const name of names) visit(name, ROOT)
  return [...found.values()]
}

function addressOf({ homepage, repository }: Package): string {
  const url = typeof repository === 'string' ? repository : repository?.url
  return homepage ?? url ?? ''
}

function licenseText(folder: string): string {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).toSorted()
  return files.map((name) => `\n${readFileSync(join(folder, name), 'utf8').trim().replaceAll('\r\n', '\n')}`).join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(NOTICES, notices())
