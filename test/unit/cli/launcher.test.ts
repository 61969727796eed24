import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const LAUNCHER = join(import.meta.dirname, '..', '..', '..', 'main', 'cli', 'halfstep.mjs')

/** Stands for a Node without type stripping: what the launcher looks at is switched off before it runs. */
const WITHOUT_STRIPPING = 'data:text/javascript,Object.defineProperty(process.features,"typescript",{value:false})'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'halfstep-launcher-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A copy of the launcher over a program of a few lines, with this Node as the platform's package unless left out. */
function install(program: string, { built = false, packaged = true } = {}): string {
  const launcher = join(folder, 'main', 'cli', 'halfstep.mjs')
  cpSync(LAUNCHER, launcher)
  mkdirSync(join(folder, 'out', 'cli'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  writeFileSync(built ? join(folder, 'out', 'cli', 'index.js') : join(folder, 'main', 'cli', 'index.ts'), program)
  if (packaged) {
    const windows = process.platform === 'win32'
    const home = join(folder, 'node_modules', `node-${windows ? 'win' : process.platform}-${process.arch}`)
    mkdirSync(join(home, 'bin'), { recursive: true })
    writeFileSync(join(home, 'package.json'), '{}')
    cpSync(process.execPath, join(home, 'bin', windows ? 'node.exe' : 'node'))
  }
  return launcher
}

function start(launcher: string, args: string[] = [], nodeOptions: string[] = []) {
  // vitest's own options for its workers must not reach the command.
  return spawn(process.execPath, [...nodeOptions, launcher, ...args], { env: { ...process.env, NODE_OPTIONS: '' }, stdio: 'pipe' })
}

async function run(...how: Parameters<typeof start>): Promise<{ code: unknown; signal: unknown; out: string; err: string }> {
  const child = start(...how)
  child.stdin.end('input')
  const [out, err, [code, signal]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, signal, out, err }
}

const ECHO = `
  const args: string[] = process.argv.slice(2)
  process.stdin.on('data', (data) => console.log(JSON.stringify([args, String(data)]))).on('end', () => process.exit(3))
`

describe('the halfstep launcher', () => {
  it('runs the TypeScript program in a Node that strips types', async () => {
    expect(await run(install(ECHO, { packaged: false }), ['a b', '--json'])).toMatchObject({ code: 3, out: '[["a b","--json"],"input"]\n' })
  })

  it('hands over to the Node that npm installed where types cannot be stripped: arguments, input, output and exit code', async () => {
    const result = await run(install(ECHO), ['a b', '--json'], ['--import', WITHOUT_STRIPPING])
    expect(result).toMatchObject({ code: 3, out: '[["a b","--json"],"input"]\n' })
  })

  it('passes a signal on and ends by it', async () => {
    const launcher = install("console.log('ready'); setInterval(() => undefined, 1000)")
    const child = start(launcher, [], ['--import', WITHOUT_STRIPPING])
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  })

  it('says what to do when there is no Node to hand over to', async () => {
    const result = await run(install(ECHO, { packaged: false }), [], ['--import', WITHOUT_STRIPPING])
    expect(result.code).toBe(1)
    expect(result.err).toContain('Halfstep needs Node 22.18 or later')
  })

  it('runs the built program where the source is not there, as in an installed app', async () => {
    const result = await run(install("console.log('built')", { built: true, packaged: false }), [], ['--import', WITHOUT_STRIPPING])
    expect(result).toMatchObject({ code: 0, out: 'built\n' })
  })

  it('knows its version', async () => {
    expect((await run(LAUNCHER, ['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
