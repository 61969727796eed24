/** What electron-builder would put into a package, by its own file matching, for each system that packages are made for. */
import { FileMatcher } from 'app-builder-lib/out/fileMatcher.js'
import { getConfig, validateConfiguration } from 'app-builder-lib/out/util/config/config.js'
import { DebugLogger } from 'builder-util'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { FUSES } from '../../packaging/fuses.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SYSTEMS = [['linux', 'x64'], ['win32', 'x64'], ['darwin', 'arm64']] as const
const NATIVE = /\.(node|dll|so|dylib)(\.[\d.]+)?$/

const Lock = z.object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })

let config: Awaited<ReturnType<typeof getConfig>>

beforeAll(async () => {
  config = await getConfig(ROOT, null, null)
})

/** Packages that are installed with the app, as paths. */
function productionPackages(): string[] {
  const { packages } = Lock.parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')))
  const production = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
  return production.map(([path]) => path).filter((path) => existsSync(join(ROOT, path)))
}

function filesBelow(path: string): string[] {
  const found = readdirSync(join(ROOT, path), { recursive: true, encoding: 'utf8' })
  return found.map((name) => join(path, name).replaceAll('\\', '/')).filter((name) => statSync(join(ROOT, name)).isFile())
}

/** Patterns as they were written, or as electron-builder has put them into one set of files. */
const Patterns = z.union([z.array(z.string()), z.tuple([z.object({ filter: z.array(z.string()) })]).transform(([{ filter }]) => filter)])
const patternsOf = (value: unknown): string[] => Patterns.parse(value)

/** Chooses paths as electron-builder does for a system. */
function chooser(patterns: readonly string[], platform: string, arch: string): (path: string) => boolean {
  const expand = (text: string): string => text.replaceAll('${platform}', platform).replaceAll('${arch}', arch)
  const filter = new FileMatcher(ROOT, ROOT, expand, [...patterns]).createFilter()
  return (path) => filter(join(ROOT, path), statSync(join(ROOT, path)))
}

/** Own files by all patterns; those of packages by the exclusions alone, for electron-builder adds the packages by itself. */
function packaged(platform: string, arch: string): string[] {
  const patterns = patternsOf(config.files)
  const own = chooser([...patterns, '!**/node_modules/**', '!assets/icons/**'], platform, arch)
  const theirs = chooser(['**/*', ...patterns.filter((pattern) => pattern.startsWith('!'))], platform, arch)
  const ownFiles = ['out', 'assets', 'main', 'renderer', 'native-models', 'preload', 'test', 'packaging', 'docs'].flatMap(filesBelow)
  const top = ['package.json', 'LICENSE', 'NOTICE', 'THIRD-PARTY-NOTICES.txt', 'electron-builder.yml', 'README.md']
  return [...[...ownFiles, ...top].filter(own), ...productionPackages().flatMap(filesBelow).filter(theirs)]
}

describe.each(SYSTEMS)('a package for %s on %s', (platform, arch) => {
  let files: string[]

  beforeAll(() => {
    files = [...new Set(packaged(platform, arch))]
  })

  it('holds the programs, pages, assets, licences and packages that the app runs on', () => {
    for (const file of [
      'package.json', 'out/main/index.js', 'out/engine/index.js', 'out/preload/index.cjs', 'out/renderer/index.html',
      'assets/templates/hands-five-fingers.json', 'assets/clip-tokenizer/merges.txt.gz', 'LICENSE', 'NOTICE', 'THIRD-PARTY-NOTICES.txt',
      'node_modules/zod/package.json', 'node_modules/sharp/dist/index.mjs', 'node_modules/onnxruntime-node/dist/index.js',
      `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}/onnxruntime_binding.node`,
      `node_modules/better-sqlite3/prebuilds/${platform}-${arch}.node`,
    ]) expect([file, files.includes(file)]).toEqual([file, true])
    for (const file of filesBelow('assets').filter((name) => name.startsWith('assets/starter/'))) expect(files).toContain(file)
  })

  it('holds no sources, tests, maps or tools', () => {
    const sources = /\.([mc]?ts|svelte|map|c|cc|cpp|h)$|^(main|renderer|native-models|preload|test|packaging|docs)\//
    expect(files.filter((file) => sources.test(file))).toEqual([])
    const tools = /^node_modules\/(vite|vitest|typescript|eslint|electron|electron-builder|playwright|adm-zip|node-[a-z]+-x64)\//
    expect(files.filter((file) => tools.test(file))).toEqual([])
  })

  it('holds native code of this system alone', () => {
    const foreign = SYSTEMS.map(([other]) => other).filter((other) => other !== platform)
    const binaries = files.filter((file) => NATIVE.test(file) && !file.startsWith('node_modules/@img/'))
    expect(binaries.length).toBeGreaterThan(2)
    expect(binaries.filter((file) => foreign.some((other) => file.includes(other)) || file.includes('musl'))).toEqual([])
    expect(binaries.filter((file) => !file.includes(arch))).toEqual([])
  })

  it('has unpacked whatever native code is or maps: the engine’s libraries, SQLite, sharp, the starter', () => {
    const isUnpacked = chooser(patternsOf(config.asarUnpack), platform, arch)
    const wanted = files.filter((file) => NATIVE.test(file) || file.startsWith('assets/'))
    expect(wanted.filter((file) => !isUnpacked(file))).toEqual([])
    // The archive is checked by its hash; what needs no unpacking stays in it.
    expect(files.filter((file) => file.startsWith('out/') && isUnpacked(file))).toEqual([])
  })
})

describe('electron-builder’s configuration', () => {
  it('is one that electron-builder takes', async () => {
    await expect(validateConfiguration(config, new DebugLogger(false))).resolves.toBeUndefined()
  })

  it('switches off in Electron’s program what nobody needs, and reads that back', () => {
    const { electronFuses = {} } = config
    const asNamed = Object.fromEntries(Object.entries(FUSES).map(([name, on]) => [name.charAt(0).toLowerCase() + name.slice(1), on]))
    expect(electronFuses).toMatchObject(asNamed)
    expect(config.afterSign).toBe('./packaging/fuses.ts')
    expect(existsSync(join(ROOT, 'packaging/fuses.ts'))).toBe(true)
  })

  it('makes an installer for each system, with an icon of our own', () => {
    expect([config.win?.target, config.mac?.target, config.linux?.target]).toEqual(['nsis', 'dmg', ['AppImage', 'tar.gz']])
    expect(statSync(join(ROOT, 'assets', 'icons', 'icon.png')).size).toBeGreaterThan(1000)
  })
})
